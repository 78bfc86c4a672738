import { healthRoutes } from './api/health.ts';
import { createHttp } from './api/http.ts';
import { identify } from './edge/identify.ts';
import { trustOf } from './edge/proxies.ts';
import { prepareDatabase } from './installation.ts';
import { type Program, runProgram } from './lifecycle.ts';
import { listen } from './listening.ts';
import {
  projectorProbes,
  sharedBy,
  sharedProbes,
  startBus,
  startLog,
  startMetrics,
  startPool,
  startProjecting,
} from './parts.ts';

/** A projector alone, on the servers that all processes share (`npm run projector`). Its port serves health alone. */
async function start(program: Program): Promise<void> {
  const { environment, logger } = program;
  const { databaseUrl } = sharedBy('a projector', environment);
  await prepareDatabase(databaseUrl, logger);
  const pool = await startPool(program, databaseUrl);
  const log = await startLog(program, databaseUrl);
  const { installation } = await identify(log, pool);
  const bus = await startBus(program, installation);
  const projector = await startProjecting(program, { databaseUrl, log, bus });
  await startMetrics(program, { pool, log });
  const server = await createHttp(logger, trustOf(environment.trustProxy));
  healthRoutes(server, { ...sharedProbes(program, { log, bus, pool }), ...projectorProbes(projector) });
  const address = await listen(program, server);
  process.stdout.write(`bubble-im's projector runs: ${address}/ready\n`);
}

await runProgram(start);
