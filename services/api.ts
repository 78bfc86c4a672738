import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from './api/server.ts';
import { trustOf } from './edge/proxies.ts';
import { prepareDatabase } from './installation.ts';
import { type Program, runProgram } from './lifecycle.ts';
import { listen } from './listening.ts';
import { sharedBy, startApplication, startFoundation, startMetrics, startTracing } from './parts.ts';
import { apiProbes, busProbes, filesProbes, serveHealth, sharedProbes } from './readiness.ts';

/** The API alone, on the servers that all processes share (`npm run api`): no projector, no websockets. */
async function start(program: Program): Promise<void> {
  const { environment } = program;
  const { databaseUrl, app } = sharedBy('an API', environment);
  await startTracing(program);
  await prepareDatabase(databaseUrl, program.logger);
  const foundation = await startFoundation(program, databaseUrl);
  const parts = { ...foundation, app, folder: await startFolder(program) };
  const api = await startApplication(program, parts);
  const metrics = await startMetrics(program, parts);
  const server = await createServer(api.application, trustOf(environment.trustProxy));
  serveHealth(
    server,
    metrics,
    { ...sharedProbes(program, parts), ...apiProbes(parts, api) },
    { ...busProbes(parts), ...filesProbes(api) },
  );
  const address = await listen(program, server);
  // Not awaited: while the read models catch up, the program can be asked to end.
  void api.prepared.then(() => {
    if (api.application.isReady()) process.stdout.write(`bubble-im's API runs: ${address}/api\n`);
  });
}

/**
 * The folder of uploads. With a bucket it is a temporary one, for uploads that are not whole yet and for pictures
 * made of them; without one it is `DATA_DIR/files`, which all processes must share.
 */
async function startFolder(program: Program): Promise<string> {
  const { bucket, dataFolder } = program.environment;
  if (bucket === undefined) return join(dataFolder, 'files');
  return program.start(
    'temporary folder',
    () => mkdtemp(join(tmpdir(), 'bubble-im-')),
    (folder) => ({ stop: () => rm(folder, { recursive: true, force: true }) }),
  );
}

await runProgram(start);
