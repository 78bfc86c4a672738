import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { pino } from 'pino';
import { readModelCategories } from '../../contracts/events/index.ts';
import { migrate } from '../../projections/migrate.ts';
import { startProjector } from '../../projections/runner/projector.ts';
import { accountsDatabase } from '../../services/accounts/accounts-tables.ts';
import { memoryBus } from '../../services/bus/memory.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { startEmbeddedPostgres } from '../../services/postgres/embedded/embedded.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { seedInstallation } from '../seed/seed-installation.ts';
import { insertBareRows } from './bare-rows.ts';
import type { Bench } from './main.ts';
import type { Cost } from './processor-time.ts';
import { measureRebuild, type RebuildCost } from './rebuild-cost.ts';
import { sendBesideRebuild } from './sending.ts';

export const bench: Bench = {
  summary: 'making the read models again, beside a bare insert of their rows, and while messages are sent',
  options: (command: Command) =>
    command
      .option('--events <n>', 'how long the history is', wholeNumber, 200_000)
      .option(
        '--senders <n>',
        'how many send at once, each waiting until its message is shown',
        wholeNumber,
        50,
      )
      .option('--seconds <n>', 'how long sending is measured', wholeNumber, 10)
      .option('--rounds <n>', 'how often insert and rebuild are measured in turns', wholeNumber, 3),
  run: async ({ events, senders, seconds, rounds }) =>
    measure(Number(events), Number(senders), Number(seconds), Number(rounds)),
};

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1.');
}

async function measure(events: number, senders: number, seconds: number, rounds: number): Promise<void> {
  const logger = pino({ level: 'silent' });
  const folder = await mkdtemp(join(tmpdir(), 'bubble-im-bench-'));
  const postgres = await startEmbeddedPostgres({ folder, logger });
  const bus = memoryBus(logger);
  try {
    const database = postgres.url;
    await migrate(database);
    const log = await openPostgresLog({ connectionString: database });
    const pool = createPool(database, logger);
    await seedInstallation({ log, accounts: accountsDatabase(pool) }, { events, seed: '1' }, () => undefined);
    await pool.end();
    const projector = await startProjector({ log, database, bus, logger });
    const end = await log.end(readModelCategories);
    while (projector.status().checkpoint < end) await delay(50);

    for (let round = 1; round <= rounds; round++) {
      const bare = await insertBareRows(database, postgres.pid);
      const rebuilt = await measureRebuild(log, database, postgres.pid);
      report(events, bare, rebuilt);
    }

    const environment = { PATH: process.env.PATH, DATABASE_URL: database };
    const sent = await sendBesideRebuild({ log, bus, environment }, senders, seconds);
    console.log(`sent and shown, ${senders} at once: ${Math.round(sent.alone)} a second`);
    console.log(
      `while rebuilding: ${Math.round(sent.whileRebuilding)} a second; ` +
        `ratio ${(sent.whileRebuilding / sent.alone).toFixed(2)}` +
        `${sent.longer ? '; the rebuild goes on for longer' : ''}`,
    );
    await projector.stop();
    await log.close();
  } finally {
    await bus.close();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function report(events: number, bare: Cost & { readonly rows: number }, rebuilt: RebuildCost): void {
  console.log(`${events} events, ${rebuilt.rows} rows, ${rebuilt.differing} tables differ`);
  const line = (what: string, cost: Cost) => {
    const processor = (value: Cost) => value.processorSeconds ?? Number.NaN;
    const perRow = `${((1_000_000 * processor(cost)) / rebuilt.rows).toFixed(0)} µs of processor time each`;
    const ratio = `${(bare.seconds / cost.seconds).toFixed(2)}, of processor time ${(processor(bare) / processor(cost)).toFixed(2)}`;
    console.log(
      `  ${what.padEnd(12)} ${Math.round(rebuilt.rows / cost.seconds)} rows/s, ${perRow}; of the bare insert: ${ratio}`,
    );
  };
  line('bare insert', bare);
  line('filling', rebuilt.filling);
  line('rebuild', rebuilt.whole);
  console.log(`  ${Math.round(events / rebuilt.filling.seconds)} events/s are filled`);
}
