import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EventLog, LogFailure } from '../../services/log/log.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { startProgram } from '../support/process.ts';
import { startDatabaseProxy } from '../support/proxy.ts';
import { collect, event, events, freshCategory, idsOf, orderFaults, streamOf, take } from './specimens.ts';

let database: TestDatabase;
/** The connection whose transaction is held open. */
let holder: pg.Client;
/** Observes the server; a connection in a transaction would always see the same activity. */
let observer: pg.Client;
let log: EventLog;

beforeAll(async () => {
  database = await createDatabase();
  holder = new pg.Client({ connectionString: database.url });
  observer = new pg.Client({ connectionString: database.url });
  await holder.connect();
  await observer.connect();
});

afterAll(async () => {
  await holder.end();
  await observer.end();
  await database.drop();
});

beforeEach(async () => {
  log = await openPostgresLog({ connectionString: database.url });
});

afterEach(async () => {
  await holder.query('rollback');
  await log.close();
});

/** Appends like another process, and leaves the transaction open. */
async function appendAndHold(stream: string): Promise<void> {
  await holder.query('begin');
  await holder.query(
    `select from gen_random_uuid() id, log.append(
      array[$1], array[0], array[-2], array[1], array[id], array[1], array[0],
      array[id], array['SomethingHappened'], array['{}'], array['{}'])`,
    [stream],
  );
}

/** The pid of the server's process for one of the log's connections. */
async function backendOf(application: string): Promise<number> {
  const { rows } = await observer.query<{ pid: number }>(
    'select pid from pg_stat_activity where application_name = $1 and datname = current_database()',
    [application],
  );
  return rows[0]?.pid ?? 0;
}

async function terminate(application: string): Promise<number> {
  const pid = await backendOf(application);
  const { rowCount } = await observer.query('select where pg_terminate_backend($1)', [pid]);
  expect(rowCount).toBe(1);
  return pid;
}

async function terminateAll(application: string): Promise<void> {
  await observer.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = $1 and datname = current_database()`,
    [application],
  );
}

/** Resolves when the log's appender waits for the transaction that is held open. */
async function appenderWaits(): Promise<void> {
  const waiting = `select from pg_stat_activity where application_name = 'bubble-im log appender'
    and datname = current_database() and wait_event = 'advisory'`;
  await expect.poll(async () => (await observer.query(waiting)).rowCount).toBe(1);
}

/**
 * If an event number were assigned early in a transaction, other transactions could commit higher numbers first, and a
 * reader that has passed the number would never see its event. Here one transaction is held open after it
 * has its number, while others append.
 */
describe('a transaction that is held open', () => {
  it('is not overtaken, and no subscriber misses it', async () => {
    const category = freshCategory();
    const prefixes = [`${category}-`];
    const after = await log.end();
    const seen = take(log, 6, { after, prefixes });
    await log.append(streamOf(category, 'before'), 'none', events(1));
    await appendAndHold(streamOf(category, 'held'));
    const appends = [1, 2, 3, 4].map((id) => log.append(streamOf(category, id), 'none', events(1)));
    await appenderWaits();
    expect(await collect(log.readAll({ prefixes }))).toHaveLength(1);
    await holder.query('commit');
    await Promise.all(appends);
    const streams = (await seen).map(({ stream }) => stream);
    expect(streams).toEqual(['before', 'held', 1, 2, 3, 4].map((id) => streamOf(category, id)));
    expect(await seen).toEqual(await collect(log.readAll({ prefixes })));
  });

  it('leaves no gap when it is rolled back', async () => {
    const category = freshCategory();
    const before = Number(await log.end());
    await appendAndHold(streamOf(category, 'held'));
    const append = log.append(streamOf(category), 'none', events(1));
    await appenderWaits();
    await holder.query('rollback');
    expect(await append).toMatchObject({ outcome: 'appended', revision: 0 });
    expect(Number(await log.end())).toBe(before + 1);
  });

  it('makes an append fail after its timeout; it is not stored later', async () => {
    const hasty = await openPostgresLog({ connectionString: database.url, appendTimeoutMs: 1_000 });
    const stream = streamOf(freshCategory());
    await appendAndHold(streamOf(freshCategory()));
    const failed = await hasty.append(stream, 'none', events(1)).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(LogFailure);
    expect(failed).toMatchObject({ kind: 'unavailable' });
    await holder.query('commit');
    expect(await hasty.append(stream, 'none', events(1))).toMatchObject({ revision: 0 });
    await hasty.close();
  });
});

describe('a connection that breaks', () => {
  it('causes a running append to be repeated, which stores it once', async () => {
    const category = freshCategory();
    const given = events(2);
    await appendAndHold(streamOf(freshCategory()));
    const append = log.append(streamOf(category), 'none', given);
    await appenderWaits();
    const dead = await terminate('bubble-im log appender');
    await expect.poll(() => backendOf('bubble-im log appender')).not.toBe(dead);
    await holder.query('commit');
    expect(await append).toMatchObject({ outcome: 'appended', revision: 1 });
    expect(idsOf(await collect(log.readStream(streamOf(category))))).toEqual(idsOf(given));
  });

  it('makes an append fail as doubtful if there is no answer in time', async () => {
    await log.close();
    const hasty = await openPostgresLog({ connectionString: database.url, appendTimeoutMs: 1_000 });
    await appendAndHold(streamOf(freshCategory()));
    const append = hasty.append(streamOf(freshCategory()), 'none', events(1));
    const failed = expect(append).rejects.toMatchObject({ name: 'LogFailure', kind: 'doubtful' });
    await appenderWaits();
    await terminate('bubble-im log appender');
    await failed;
    await holder.query('commit');
    await hasty.close();
  });

  it('hides nothing from subscribers if it is the listening one', async () => {
    const other = await openPostgresLog({ connectionString: database.url });
    const category = freshCategory();
    const seen = take(log, 40, { after: await log.end(), prefixes: [`${category}-`] });
    for (let round = 0; round < 40; round++) {
      // Those of both logs: one listens, the other appends again what it does not know to be stored.
      if (round % 10 === 5) await terminateAll('bubble-im log appender');
      await other.append(streamOf(category), 'any', events(1));
    }
    expect(orderFaults(await seen)).toEqual([]);
    await other.close();
  });

  it('is replaced if it is a reading one', async () => {
    const stream = streamOf(freshCategory());
    await log.append(stream, 'none', events(3));
    expect(await collect(log.readStream(stream))).toHaveLength(3);
    await terminate('bubble-im log');
    expect(await collect(log.readStream(stream))).toHaveLength(3);
    expect(await log.healthy()).toBe(true);
  });
});

describe('connections that freeze', () => {
  it('delay an append, which is stored once, and notifications', async () => {
    const proxy = await startDatabaseProxy(database.url);
    const frozen = await openPostgresLog({ connectionString: proxy.url });
    const category = freshCategory();
    const seen: string[] = [];
    const done = new AbortController();
    const options = { after: await frozen.end(), prefixes: [`${category}-`], signal: done.signal };
    const following = (async () => {
      for await (const batch of frozen.subscribe(options)) seen.push(...batch.map(({ stream }) => stream));
    })();
    const appended = async (name: string, by: EventLog) => {
      await by.append(streamOf(category, name), 'none', events(1));
      await expect.poll(() => seen, { timeout: 15_000 }).toContain(streamOf(category, name));
    };
    await appended('before', log);
    proxy.freeze();
    await Promise.all([appended('by another', log), appended('by this one', frozen)]);
    await expect.poll(() => frozen.healthy(), { timeout: 15_000 }).toBe(true);
    await appended('after', log);
    expect(seen).toHaveLength(4);
    done.abort();
    await following;
    await frozen.close();
  }, 60_000);
});

describe('an appender that breaks', () => {
  it('ends its process, which could no longer append', async () => {
    const program = startProgram('test/log/broken-appender-program.ts', [], { DATABASE_URL: database.url });
    expect(await program.ended).toBe(1);
    expect(program.stderr()).toContain('a fault of the program');
  });
});

describe('a full disk of the database', () => {
  it('fails an append at once, and is its cause', async () => {
    const full = await createDatabase();
    const client = new pg.Client({ connectionString: full.url });
    await client.connect();
    await client.query(`
      create function full_disk() returns trigger language plpgsql as $$
      begin raise exception 'could not extend file' using errcode = '53100'; end $$;
      create trigger full_disk before insert on log.events execute function full_disk()`);
    // An append that was tried again would outlast the test.
    const retrying = await openPostgresLog({ connectionString: full.url, appendTimeoutMs: 600_000 });
    const append = () => retrying.append(streamOf(freshCategory(), 1), 'any', [event()]);
    const refused = { status: 'rejected', reason: { kind: 'unavailable', cause: { code: '53100' } } };
    try {
      expect(await Promise.allSettled([append(), append()])).toMatchObject([refused, refused]);
      await client.query('drop trigger full_disk on log.events');
      expect(await append()).toMatchObject({ outcome: 'appended' });
    } finally {
      await retrying.close();
      await client.end();
      await full.drop();
    }
  });
});
