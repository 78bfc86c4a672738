import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import { accountsDatabase } from './accounts/accounts-tables.ts';
import { createTokens } from './accounts/tokens.ts';
import { cookieToken } from './api/caller.ts';
import { databaseProbe, movingProbe } from './api/health.ts';
import { createHttp } from './api/http.ts';
import { logRequests } from './api/request-log.ts';
import { limitAddresses } from './edge/address-limit.ts';
import { installationOf } from './edge/identify.ts';
import { trustOf } from './edge/proxies.ts';
import { tokenSessions } from './gateway/connections/sessions.ts';
import { createGateway } from './gateway/gateway.ts';
import { prepareDatabase } from './installation.ts';
import { type Program, runProgram } from './lifecycle.ts';
import { listen, serveGateway } from './listening.ts';
import type { LogIdentity } from './log/identity.ts';
import { sharedBy, startBus, startMetrics, startPool, startTracing } from './parts.ts';
import { SettingsCache } from './queries/settings-cache.ts';
import { readDatabase } from './queries/tables.ts';
import { busProbes, serveHealth, serving, tablesProbe } from './readiness.ts';

/** How often to look whether the installation has an identity yet. */
const identityPollMs = 100;

/** A gateway alone, with the Postgres and NATS of other programs (`npm run gateway`). */
async function start(program: Program): Promise<void> {
  const { environment, logger } = program;
  const { databaseUrl, app } = sharedBy('a gateway', environment);
  await startTracing(program);
  await prepareDatabase(databaseUrl, logger);
  const pool = await startPool(program, databaseUrl);
  const { installation } = await known(pool, logger);
  const bus = await startBus(program, installation);
  const database = readDatabase(pool);
  const tokens = await program.start(
    'tokens',
    async () => createTokens({ database: accountsDatabase(pool), bus, logger }),
    (part) => ({ stop: () => part.close() }),
  );
  const cache = await program.start(
    'settings',
    () => SettingsCache.open({ database, bus, logger }),
    (part) => ({ stop: async () => part.stop() }),
  );
  const trust = trustOf(environment.trustProxy);
  const gateway = createGateway({
    ...{ bus, database: pool, app, logger, trust },
    settings: () => cache.settings,
    sessions: tokenSessions(tokens, async () => cache.settings),
    cookieToken: async (request) => cookieToken(request, cache.settings),
  });
  await program.start(
    'gateway',
    () => gateway.start(),
    () => ({ stop: () => gateway.drain() }),
  );
  const metrics = await startMetrics(program, { bus, pool, gateway });
  const server = await createHttp(logger, trust);
  logRequests(server, logger, () => cache.settings);
  limitAddresses(server, () => cache.settings);
  const needed = {
    ...serving(program),
    tables: tablesProbe(pool),
    database: databaseProbe(database),
    gateway: movingProbe(() => gateway.status().stalledMs),
  };
  serveHealth(server, metrics, needed, busProbes({ bus }));
  await serveGateway(server, gateway);
  const address = await listen(program, server);
  process.stdout.write(`bubble-im's gateway runs: ${address.replace('http', 'ws')}/app/${app.key}\n`);
}

/** The installation, as soon as a program with the log has stored its identity in the database. */
async function known(pool: pg.Pool, logger: Logger): Promise<LogIdentity> {
  for (let tries = 0; ; tries++) {
    const identity = await installationOf(pool);
    if (identity !== undefined) return identity;
    if (tries === 0) logger.info('waiting for the first start of a program with the log');
    await delay(identityPollMs);
  }
}

await runProgram(start);
