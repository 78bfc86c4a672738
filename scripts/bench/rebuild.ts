import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { pino } from 'pino';
import { readModelCategories } from '../../contracts/events/index.ts';
import { ConversationId, Mid, Uid } from '../../contracts/ids.ts';
import { migrate } from '../../projections/migrate.ts';
import { rebuild } from '../../projections/rebuild/rebuild.ts';
import { startProjector } from '../../projections/runner/projector.ts';
import { accountsDatabase } from '../../services/accounts/accounts-tables.ts';
import { memoryBus } from '../../services/bus/memory.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { encode } from '../../services/log/codec.ts';
import { type EventId, type EventLog, startOfLog } from '../../services/log/log.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { startEmbeddedPostgres } from '../../services/postgres/embedded/embedded.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { seedInstallation } from '../seed/seed-installation.ts';
import { insertBareRows } from './bare-rows.ts';
import type { Bench } from './main.ts';
import { type Cost, costOf } from './processor-time.ts';

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
      const rebuilt = await rebuildOnce(log, database, postgres.pid);
      report(events, bare, rebuilt);
    }

    const alone = await sending(log, bus, senders, seconds);
    const child = rebuildIn(database);
    const beside = await sending(log, bus, senders, seconds, child);
    console.log(`sent and shown, ${senders} at once: ${Math.round(alone)} a second`);
    console.log(
      `while rebuilding: ${Math.round(beside)} a second; ratio ${(beside / alone).toFixed(2)}` +
        `${child.exitCode === null ? '; the rebuild goes on for longer' : ''}`,
    );
    child.kill('SIGINT');
    if (child.exitCode === null) await once(child, 'exit');
    await projector.stop();
    await log.close();
  } finally {
    await bus.close();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a rebuild made, and what it cost: the filling alone, and all, with indexes, the switch and the comparison. */
interface Rebuild {
  readonly rows: number;
  readonly differing: number;
  readonly filling: Cost;
  readonly whole: Cost;
}

async function rebuildOnce(log: EventLog, database: string, postgres: number): Promise<Rebuild> {
  const filled = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const filling = begun.promise.then(() => costOf(postgres, () => filled.promise));
  const end = log.extent(startOfLog, await log.end(readModelCategories));
  let count = 0;
  const results: Awaited<ReturnType<typeof rebuild>>[] = [];
  const whole = await costOf(postgres, async () => {
    const result = await rebuild({
      ...{ log, database, logger: pino({ level: 'silent' }), version: 'bench', maxDifferences: 1 },
      patient: false,
      onBegun: () => begun.resolve(),
      onFilled: (events) => {
        count += events;
        if (count >= end) filled.resolve();
      },
      signal: new AbortController().signal,
    });
    results.push(result);
  });
  filled.resolve();
  const [result = 'interrupted'] = results;
  if (typeof result === 'string') throw new Error(result);
  return {
    rows: result.rows,
    differing: Object.keys(result.counts).length,
    filling: await filling,
    whole,
  };
}

function report(events: number, bare: Cost & { readonly rows: number }, rebuilt: Rebuild): void {
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

function rebuildIn(database: string): ChildProcess {
  return spawn(process.execPath, ['scripts/rebuild.ts'], {
    env: { PATH: process.env.PATH, DATABASE_URL: database },
    stdio: 'ignore',
  });
}

/** Mids that the history does not have. */
let lastMid = 2 ** 40;

/** How many messages a second are appended and shown, until the time is over or `beside` has ended. */
async function sending(
  log: EventLog,
  bus: ReturnType<typeof memoryBus>,
  senders: number,
  seconds: number,
  beside?: ChildProcess,
): Promise<number> {
  let shown = '';
  const waiting = new Set<() => void>();
  const stop = bus.onTick(({ checkpoint }) => {
    shown = checkpoint;
    for (const wake of waiting) wake();
    waiting.clear();
  });
  const begun = performance.now();
  const until = begun + seconds * 1_000;
  let sent = 0;
  await Promise.all(
    Array.from({ length: senders }, async (_, index) => {
      const [from, to] = [1 + 2 * index, 2 + 2 * index];
      const conversation = ConversationId.parse(`f${from}-${to}`);
      while (performance.now() < until && (beside === undefined || beside.exitCode === null)) {
        const mid = Mid.parse(++lastMid);
        const data = { conversation, from: Uid.parse(from), mid, content: 'a message of a usual length' };
        const metadata = {
          time: Date.now(),
          actor: `${from}`,
          $correlationId: 'bench',
          $causationId: 'bench',
        };
        const event = encode(crypto.randomUUID() as EventId, { type: 'MessageSent', data }, metadata);
        const result = await log.append(streamName(`conversation-${conversation}`), 'any', [event]);
        if (result.outcome !== 'appended') throw new Error(result.outcome);
        while (shown < result.position) await new Promise<void>((resolve) => waiting.add(resolve));
        sent++;
      }
    }),
  );
  stop();
  return sent / ((performance.now() - begun) / 1_000);
}
