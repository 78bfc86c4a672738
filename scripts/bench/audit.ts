import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { pino } from 'pino';
import { readModelCategories } from '../../contracts/events/index.ts';
import { migrate } from '../../projections/migrate.ts';
import { readModelsVersion } from '../../projections/rebuild/version.ts';
import { adoptEmpty } from '../../projections/rebuild/version-upkeep.ts';
import { startProjector } from '../../projections/runner/projector.ts';
import { accountsDatabase } from '../../services/accounts/accounts-tables.ts';
import { memoryBus } from '../../services/bus/memory.ts';
import { compiledFolder } from '../../services/compiled.ts';
import { readEnvironment } from '../../services/environment.ts';
import { openLog } from '../../services/log/open.ts';
import { startEmbeddedPostgres } from '../../services/postgres/embedded/embedded.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { count } from '../cli/arguments.ts';
import { seedInstallation } from '../seed/seed-installation.ts';
import type { Ground, MeasureRow } from './audit-ground.ts';
import { logRows } from './audit-log-rows.ts';
import type { Bench } from './main.ts';
import { pastRows } from './past-rows.ts';
import { rebuildRows } from './rebuild-rows.ts';

export const bench: Bench = {
  summary:
    'looking at the log, asking about the past, making the read models again; EVENTSTORE_URL measures on that log',
  options: (command: Command) => command.option('--events <n>', 'how long the history is', count, 200_000),
  run: async ({ events }) => measure(Number(events)),
};

async function measure(events: number): Promise<void> {
  const logger = pino({ level: 'silent' });
  const folder = await mkdtemp(join(tmpdir(), 'bubble-im-bench-'));
  const postgres = await startEmbeddedPostgres({ folder, logger });
  const bus = memoryBus(logger);
  try {
    const databaseUrl = postgres.url;
    await migrate(databaseUrl);
    const { eventStoreUrl } = readEnvironment();
    // Others use that server too: the history gets names of its own.
    const streamPrefix = eventStoreUrl === undefined ? '' : `bench${Date.now()}-`;
    const log = await openLog({ eventStoreUrl, streamPrefix }, databaseUrl, logger);
    const pool = createPool(databaseUrl, logger);
    await seedInstallation({ log, accounts: accountsDatabase(pool) }, { events, seed: '1' }, () => undefined);
    const environment = {
      ...process.env,
      DATABASE_URL: databaseUrl,
      // As npm run sets it for commands.
      NODE_COMPILE_CACHE: compiledFolder,
      ...(streamPrefix === '' ? {} : { STREAM_PREFIX: streamPrefix }),
    };
    console.log(`${events} events, in ${eventStoreUrl === undefined ? 'Postgres' : 'EventStoreDB'}`);
    const ground = { log, bus, databaseUrl, pool, postgres: postgres.pid, environment, events };
    await show(ground, logRows);
    await adoptEmpty({ database: databaseUrl, version: await readModelsVersion() });
    const projector = await startProjector({ log, database: databaseUrl, bus, logger });
    const end = await log.end(readModelCategories);
    while (projector.status().checkpoint < end) await delay(50);
    await show(ground, [...pastRows, ...rebuildRows]);
    await projector.stop();
    await pool.end();
    await log.close();
  } finally {
    await bus.close();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function show(ground: Ground, rows: readonly MeasureRow[]): Promise<void> {
  for (const row of rows) {
    const { what, figure } = await row(ground);
    console.log(`${what.padEnd(62)}  ${figure}`);
  }
}
