import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import pg from 'pg';
import { pino } from 'pino';
import { uuidv7 } from 'uuidv7';
import { migrate } from '../../projections/migrate.ts';
import type { EventId, NewEvent, StreamName } from '../../services/log/log.ts';
import { openPostgresLog } from '../../services/log/postgres.ts';
import { startEmbeddedPostgres } from '../../services/postgres/embedded.ts';
import { openBareLog } from './bare-log.ts';
import type { Bench } from './main.ts';

/** Stores one event of ~300 bytes and settles when it is on disk. */
export type AppendOne = (stream: StreamName, event: NewEvent) => Promise<unknown>;

interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

const callerCounts = [1, 16, 200];

export const bench: Bench = {
  summary: 'appends per second through the Postgres log, beside a bare group commit',
  options: (command: Command) =>
    command
      .option('--seconds <n>', 'how long each figure is measured', positive, 3)
      .option('--rounds <n>', 'how often, alternating; the median counts', positive, 3)
      .option('--subscribers <n>', 'subscriptions that follow meanwhile', Number, 0),
  run: async ({ seconds, rounds, subscribers }) =>
    measure(Number(seconds), Number(rounds), Number(subscribers)),
};

async function measure(seconds: number, rounds: number, subscribers: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bubble-im-bench-'));
  const postgres = await startEmbeddedPostgres({ folder, logger: pino({ level: 'silent' }) });
  try {
    await migrate(postgres.url);
    await refuseUnsafe(postgres.url);
    const log = await openPostgresLog({ connectionString: postgres.url });
    const bare = await openBareLog(postgres.url);
    const done = new AbortController();
    const delivered = Array.from({ length: subscribers }, async () => {
      let count = 0;
      const after = await log.end();
      for await (const batch of log.subscribe({ after, signal: done.signal })) count += batch.length;
      return count;
    });
    console.log('callers   adapter/s   p50 ms   p99 ms      bare/s   p50 ms   p99 ms   ratio');
    for (const callers of callerCounts) {
      const adapter: Figures[] = [];
      const without: Figures[] = [];
      for (let round = 0; round < rounds; round++) {
        adapter.push(await load((stream, event) => log.append(stream, 'any', [event]), callers, seconds));
        without.push(await load(bare.append, callers, seconds));
      }
      print(callers, median(adapter), median(without));
    }
    done.abort();
    if (subscribers > 0)
      console.log(`delivered to each subscriber: ${(await Promise.all(delivered)).join(' ')}`);
    await log.close();
    await bare.close();
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function refuseUnsafe(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ safe: boolean }>(
    "select current_setting('fsync') = 'on' and current_setting('synchronous_commit') = 'on' as safe",
  );
  await client.end();
  if (!rows[0]?.safe) throw new Error('figures without fsync would say nothing');
}

/** So many callers, each appending to a stream of its own as soon as it was answered. */
async function load(append: AppendOne, callers: number, seconds: number): Promise<Figures> {
  const latencies: number[] = [];
  const end = performance.now() + seconds * 1000;
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      const stream = `conversation-f${caller}-${caller + 1}` as StreamName;
      for (let now = performance.now(); now < end; ) {
        await append(stream, message(caller));
        const after = performance.now();
        latencies.push(after - now);
        now = after;
      }
    }),
  );
  const took = (performance.now() - begun) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  return { perSecond: latencies.length / took, p50: at(0.5), p99: at(0.99) };
}

/** About as large as a short message. */
function message(caller: number): NewEvent {
  const id = uuidv7();
  return {
    id: id as EventId,
    type: 'MessageSent',
    data: {
      mid: 123456789,
      from: caller,
      content: '今天下午三点在老地方见面,记得带上昨天的资料。',
      subType: 'message',
    },
    metadata: { time: Date.now(), actor: String(caller), version: 1, $correlationId: id, $causationId: id },
  };
}

function median(figures: readonly Figures[]): Figures {
  const sorted = figures.toSorted((a, b) => a.perSecond - b.perSecond);
  return sorted[Math.floor(sorted.length / 2)] ?? { perSecond: Number.NaN, p50: Number.NaN, p99: Number.NaN };
}

function print(callers: number, adapter: Figures, bare: Figures): void {
  const figures = ({ perSecond, p50, p99 }: Figures) =>
    `${perSecond.toFixed(0).padStart(12)}${p50.toFixed(2).padStart(9)}${p99.toFixed(2).padStart(9)}`;
  const ratio = (adapter.perSecond / bare.perSecond).toFixed(2);
  console.log(`${String(callers).padStart(7)}${figures(adapter)}${figures(bare)}${ratio.padStart(8)}`);
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('a number above 0 is wanted');
  return value;
}
