import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import pg from 'pg';
import { pino } from 'pino';
import { migrate } from '../../projections/migrate.ts';
import { readEnvironment } from '../../services/environment.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { startEmbeddedPostgres } from '../../services/postgres/embedded/embedded.ts';
import { openBareLog } from './bare-log.ts';
import { compare } from './comparing.ts';
import { measureEventStoreDB } from './eventstoredb.ts';
import type { Bench } from './main.ts';

export const bench: Bench = {
  summary:
    'appends per second through the log, beside the least that does the same; EVENTSTORE_URL adds its rows',
  options: (command: Command) =>
    command
      .option('--seconds <n>', 'how long each figure is measured', positive, 3)
      .option('--rounds <n>', 'how often, alternating; the median counts', positive, 3)
      .option('--subscribers <n>', 'subscriptions that follow meanwhile', Number, 0),
  run: async ({ seconds, rounds, subscribers }) => {
    await measure(Number(seconds), Number(rounds), Number(subscribers));
  },
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
    console.log('Postgres, beside a bare group commit');
    await compare((stream, event) => log.append(stream, 'any', [event]), bare.append, seconds, rounds);
    done.abort();
    if (subscribers > 0)
      console.log(`delivered to each subscriber: ${(await Promise.all(delivered)).join(' ')}`);
    await log.close();
    await bare.close();
    const { eventStoreUrl } = readEnvironment();
    if (eventStoreUrl !== undefined) {
      await measureEventStoreDB(eventStoreUrl, postgres.url, seconds, rounds);
    }
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

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('a number above 0 is wanted');
  return value;
}
