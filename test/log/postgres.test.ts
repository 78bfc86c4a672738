import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { migrate } from '../../projections/migrate.ts';
import { startOfLog } from '../../services/log/log.ts';
import { maxRevision, pageOfStream } from '../../services/log/postgres/log-reader.ts';
import { positionOf } from '../../services/log/postgres/position.ts';
import { openPostgresLog, readingPurpose } from '../../services/log/postgres/postgres-log.ts';
import { openClient } from '../../services/postgres/connect.ts';
import { startEmbeddedPostgres } from '../../services/postgres/embedded/embedded.ts';
import { createDatabase } from '../support/database.ts';
import { describeEventLog } from './contract.ts';
import { collect, event, events, foreignTexts, streamOf, take } from './specimens.ts';

describeEventLog('Postgres', {
  async make() {
    const database = await createDatabase();
    return {
      open: () => openPostgresLog({ connectionString: database.url }),
      remove: () => database.drop(),
    };
  },

  async makeMortal() {
    const folder = await mkdtemp(join(tmpdir(), 'bubble-im-test-'));
    const postgres = await startEmbeddedPostgres({
      folder,
      logger: pino({ level: 'silent' }),
      // The log must be durable on a server whose default is not: a kill loses what it has not flushed.
      settings: { fsync: 'off', synchronous_commit: 'off', wal_writer_delay: '10s' },
    });
    await migrate(postgres.url);
    // A regular shutdown flushes the tables.
    await postgres.restart();
    return {
      open: () => openPostgresLog({ connectionString: postgres.url }),
      kill: () => postgres.kill(),
      ready: () => postgres.ready(),
      async remove() {
        await postgres.stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
});

/** A log in a database of the test's own. */
async function openLog() {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const log = await openPostgresLog({ connectionString: database.url });
  onTestFinished(() => log.close());
  return { database, log };
}

it('a read of the event log in Postgres has the next page sent while its caller works on one, even without a pause', async () => {
  const { database, log } = await openLog();
  const data = { text: 'x'.repeat(4_000) };
  // Two pages, each larger than what a socket holds.
  for (let round = 0; round < 5; round++) {
    const [first, ...rest] = Array.from({ length: 200 }, () => event(data));
    if (first) await log.append(streamOf('long'), 'any', [first, ...rest]);
  }
  let read = 0;
  for await (const _ of log.readAll()) {
    const program = join(import.meta.dirname, 'busy-reader-program.ts');
    if (read++ === 0) execFileSync(process.execPath, [program, database.url], { stdio: 'inherit' });
  }
  expect(read).toBe(1_000);
});

it('the event log in Postgres decides concurrent appends in the order of the calls', async () => {
  const { log } = await openLog();
  await log.append(streamOf('full'), 'none', events(2));
  const answers = await Promise.all([
    log.append(streamOf('a'), 'none', events(1)),
    log.append(streamOf('full'), 'none', events(1)),
    log.append(streamOf('b'), 4, events(1)),
    log.append(streamOf('c'), 'any', events(2)),
    log.append(streamOf('full'), 1, events(1)),
    log.append(streamOf('c'), 'any', events(1)),
    log.append(streamOf('d'), 'any', events(1)),
    log.append(streamOf('d'), 0, events(1)),
    log.append(streamOf('d'), 0, events(1)),
  ]);
  expect(answers).toMatchObject([
    { outcome: 'appended', revision: 0 },
    { outcome: 'conflict', actual: 1 },
    { outcome: 'conflict', actual: 'none' },
    { outcome: 'appended', revision: 1 },
    { outcome: 'appended', revision: 2 },
    { outcome: 'appended', revision: 2 },
    { outcome: 'appended', revision: 0 },
    { outcome: 'appended', revision: 1 },
    { outcome: 'conflict', actual: 1 },
  ]);
});

/** Runs a statement on a database, outside the program. */
async function byHand(url: string, text: string, values: readonly unknown[] = []): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(text, [...values]).finally(() => client.end());
}

describe('the event log in Postgres', () => {
  it('returns the raw texts of an event that was changed by hand, and always an object', async () => {
    const { database, log } = await openLog();
    const stream = streamOf('changed');
    await log.append(stream, 'none', events(foreignTexts.length));
    for (const [revision, { text }] of foreignTexts.entries()) {
      await byHand(database.url, 'update log.events set data = $1, metadata = $1 where revision = $2', [
        text,
        revision,
      ]);
    }
    const stored = await collect(log.readStream(stream));
    expect(stored.map(({ raw }) => raw)).toEqual(
      foreignTexts.map(({ text }) => ({ data: text, metadata: text })),
    );
    expect(stored.map(({ data }) => data)).toEqual(foreignTexts.map(({ parsed }) => parsed));
    expect(stored.map(({ metadata }) => metadata)).toEqual(foreignTexts.map(({ parsed }) => parsed));
  });

  it('never records an event before the one in front of it, even if the clock of the server is set back', async () => {
    const { database, log } = await openLog();
    await log.append(streamOf('before'), 'none', events(2));
    // As if the clock had been an hour ahead until now.
    await byHand(
      database.url,
      "update log.events set recorded = recorded + interval '1 hour' where position = 2",
    );
    const following = take(log, 4, { after: startOfLog });
    await log.append(streamOf('later'), 'none', events(2));
    const [first, second, ...later] = (await following).map(({ recorded }) => recorded);
    expect(second).toBe((first ?? 0) + 3_600_000);
    expect(later).toEqual([second, second]);
    expect((await collect(log.readAll())).map(({ recorded }) => recorded)).toEqual([first, second, ...later]);
  });

  it('appends a single event without `log.append`, and by it what is refused or stored already', async () => {
    const { database, log } = await openLog();
    const [stream, other] = [streamOf('one'), streamOf('other')];
    const stored = [event(), event(), event(), event()];
    const [first, second, third, last] = stored;
    if (!first || !second || !third || !last) throw new TypeError('no events');
    await byHand(database.url, 'alter function log.append rename to append_away');
    expect(await log.append(stream, 'none', [first])).toMatchObject({ outcome: 'appended', revision: 0 });
    expect(await log.append(stream, 'any', [second])).toMatchObject({ outcome: 'appended', revision: 1 });
    expect(await log.append(stream, 1, [third])).toMatchObject({ outcome: 'appended', revision: 2 });
    await byHand(database.url, 'alter function log.append_away rename to append');

    expect(await log.append(stream, 1, [event()])).toEqual({ outcome: 'conflict', actual: 2 });
    expect(await log.append(stream, 'none', [event()])).toEqual({ outcome: 'conflict', actual: 2 });
    expect(await log.append(other, 0, [event()])).toEqual({ outcome: 'conflict', actual: 'none' });
    const again = { outcome: 'already appended', revision: 1, position: positionOf(2) };
    expect(await log.append(stream, 'any', [second])).toEqual(again);
    expect(await log.append(stream, 2, [second])).toEqual(again);
    expect(await log.append(other, 'any', [second])).toMatchObject({ outcome: 'appended', revision: 0 });
    expect(await log.append(stream, 2, [last])).toMatchObject({ outcome: 'appended', revision: 3 });
    expect(await collect(log.readStream(stream))).toMatchObject(stored);
  });

  it('appends a single event after the last one that is there, also if this process knows a later one', async () => {
    const { database, log } = await openLog();
    const stream = streamOf('shortened');
    await log.append(stream, 'none', events(3));
    await byHand(database.url, 'delete from log.events where revision > 0');
    expect(await log.append(stream, 'any', events(1))).toMatchObject({ outcome: 'appended', revision: 1 });
    expect((await collect(log.readStream(stream))).map(({ revision }) => revision)).toEqual([0, 1]);
  });

  it('has no two events of one revision in a stream, whoever writes them', async () => {
    const { database, log } = await openLog();
    await log.append(streamOf('one'), 'none', events(2));
    await log.append(streamOf('other'), 'none', events(1));
    const copy = (from: string, to: string) =>
      byHand(
        database.url,
        `insert into log.events
         select 100 + revision, $2, revision, gen_random_uuid(), type, data, metadata, recorded
           from log.events where stream = $1 and revision = 1`,
        [streamOf(from), streamOf(to)],
      );
    await expect(copy('one', 'one')).rejects.toThrow('events_stream_revision');
    await copy('one', 'other');
    expect((await collect(log.readStream(streamOf('other')))).map(({ revision }) => revision)).toEqual([
      0, 1,
    ]);
  });

  it('refuses an event after the greatest revision that the index of revisions has', async () => {
    const { database, log } = await openLog();
    const stream = streamOf('full');
    await log.append(stream, 'none', events(1));
    await byHand(database.url, 'update log.events set revision = $1', [maxRevision - 1]);
    expect(await log.append(stream, 'any', events(1))).toMatchObject({ revision: maxRevision });
    await expect(log.append(stream, 'any', events(1))).rejects.toThrow('the log refused it');
    expect((await collect(log.readStream(stream))).map(({ revision }) => revision)).toEqual([
      maxRevision - 1,
      maxRevision,
    ]);
    expect(await collect(log.readStream(stream, { from: maxRevision + 1 }))).toEqual([]);
  });

  it.each(['forwards', 'backwards'] as const)(
    'reads a page of a long stream %s without reading or sorting the rest of it',
    async (direction) => {
      const { database } = await openLog();
      await byHand(
        database.url,
        `insert into log.events
         select n, case when n % 20 = 0 then 'long' else 'short-' || n end, n / 20, gen_random_uuid(), 'T', '{}', '{}', now()
           from generate_series(1, 20000) n`,
      );
      await byHand(database.url, 'analyze log.events');
      const client = await openClient(database.url, readingPurpose);
      onTestFinished(() => client.end());
      await client.query(`prepare page (bigint) as ${pageOfStream('$2', '$3::bigint', direction)}`);
      const { rows } = await client.query({
        text: `explain execute page (100, 'long', 500)`,
        rowMode: 'array',
      });
      const plan = rows.flat().join('\n');
      expect(plan).toMatch(/Index Scan (Backward )?using events_stream_revision /);
      expect(plan).not.toContain('Sort');
    },
  );

  it('gives a subscriber far behind the events of the server, then those in memory', async () => {
    const { log } = await openLog();
    const stream = streamOf('behind');
    const gate = Promise.withResolvers<void>();
    const done = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const batch of log.subscribe({ after: startOfLog, signal: done.signal })) {
        seen.push(...batch.map(({ revision }) => revision));
        await gate.promise;
        if (seen.length === 6_001) done.abort();
      }
    })();
    await log.append(stream, 'none', events(1));
    await expect.poll(() => seen.length).toBe(1);
    for (let round = 0; round < 12; round++) await log.append(stream, 'any', events(500));
    gate.resolve();
    await following;
    expect(seen).toEqual(Array.from({ length: 6_001 }, (_, revision) => revision));
  });

  it('fails to open within its timeout if there is no server', async () => {
    const opening = openPostgresLog({ host: '127.0.0.1', port: 1, connectTimeoutMs: 200 });
    await expect(opening).rejects.toMatchObject({ name: 'LogFailure', kind: 'unavailable' });
  });
});
