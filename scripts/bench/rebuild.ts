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
import type { EventId, EventLog } from '../../services/log/log.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { startEmbeddedPostgres } from '../../services/postgres/embedded/embedded.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { seedInstallation } from '../seed/seed-installation.ts';
import { insertBareRows } from './bare-rows.ts';
import type { Bench } from './main.ts';

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
      .option('--seconds <n>', 'how long sending is measured', wholeNumber, 10),
  run: async ({ events, senders, seconds }) => measure(Number(events), Number(senders), Number(seconds)),
};

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1.');
}

async function measure(events: number, senders: number, seconds: number): Promise<void> {
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

    const bare = await insertBareRows(database);
    const begun = performance.now();
    const rebuilt = await rebuild({
      ...{ log, database, logger, version: 'bench', maxDifferences: 1, patient: false },
      signal: new AbortController().signal,
    });
    if (typeof rebuilt === 'string') throw new Error(rebuilt);
    const took = (performance.now() - begun) / 1_000;
    const [made, inserted] = [rebuilt.rows / took, bare.rows / bare.seconds];
    console.log(
      `${events} events, ${rebuilt.rows} rows, ${Object.keys(rebuilt.counts).length} tables differ`,
    );
    console.log(`rebuilt in ${took.toFixed(1)} s: ${Math.round(made)} rows a second, compared and hashed`);
    console.log(`bare insert: ${Math.round(inserted)} rows a second; ratio ${(made / inserted).toFixed(2)}`);

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
