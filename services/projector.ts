import { createHttp } from './api/http.ts';
import { trustOf } from './edge/proxies.ts';
import { prepareDatabase } from './installation.ts';
import { type Program, runProgram } from './lifecycle.ts';
import { listen } from './listening.ts';
import { sharedBy, startFoundation, startMetrics, startProjecting, startTracing } from './parts.ts';
import { busProbes, projectorProbes, serveHealth, sharedProbes } from './readiness.ts';

/** A projector alone, on the servers that all processes share (`npm run projector`). Its port serves health alone. */
async function start(program: Program): Promise<void> {
  const { environment, logger } = program;
  const { databaseUrl } = sharedBy('a projector', environment);
  await startTracing(program);
  await prepareDatabase(databaseUrl, logger);
  const foundation = await startFoundation(program, databaseUrl);
  const projector = await startProjecting(program, { databaseUrl, ...foundation });
  const metrics = await startMetrics(program, foundation);
  const server = await createHttp(logger, trustOf(environment.trustProxy));
  const needed = { ...sharedProbes(program, foundation), ...projectorProbes(projector) };
  serveHealth(server, metrics, needed, busProbes(foundation));
  const address = await listen(program, server);
  process.stdout.write(`bubble-im's projector runs: ${address}/ready\n`);
}

await runProgram(start);
