import { createHttp } from './api/http.ts';
import { trustOf } from './edge/proxies.ts';
import { EnvironmentError } from './environment.ts';
import { postgresFolder, prepareDatabase } from './installation.ts';
import { type Program, runProgram } from './lifecycle.ts';
import { listen } from './listening.ts';
import { startAuditing, startLog, startMetrics, startPool } from './parts.ts';
import { runningEmbeddedUrl } from './postgres/embedded/embedded.ts';
import { auditorProbes, serveHealth, serving, tablesProbe } from './readiness.ts';

/**
 * An auditor alone (`npm run auditor`), on DATABASE_URL or on the database of a bubble-im that runs on DATA_DIR. Its
 * port serves health alone.
 */
async function start(program: Program): Promise<void> {
  const { environment, logger } = program;
  const { dataFolder } = environment;
  const databaseUrl = environment.databaseUrl ?? (await runningEmbeddedUrl(postgresFolder(dataFolder)));
  if (databaseUrl === undefined) {
    throw new EnvironmentError('an auditor alone needs DATABASE_URL, or a bubble-im that runs on DATA_DIR');
  }
  if (!environment.audit) throw new EnvironmentError('AUDIT is off: an auditor would do nothing');
  await prepareDatabase(databaseUrl, logger);
  const pool = await startPool(program, databaseUrl);
  const log = await startLog(program, databaseUrl);
  const auditor = await startAuditing(program, { databaseUrl, log });
  const metrics = await startMetrics(program, { pool, log });
  const server = await createHttp(logger, trustOf(environment.trustProxy));
  serveHealth(
    server,
    metrics,
    { ...serving(program), tables: tablesProbe(pool) },
    auditorProbes(log, auditor),
  );
  const address = await listen(program, server);
  process.stdout.write(`bubble-im's auditor runs: ${address}/ready\n`);
}

await runProgram(start);
