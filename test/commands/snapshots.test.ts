import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Gid } from '../../contracts/ids.ts';
import { AggregateStore } from '../../services/commands/aggregate-store.ts';
import { skipEvent } from '../../services/commands/skip-event.ts';
import { eventsBetweenSnapshots } from '../../services/commands/snapshot-keeping.ts';
import { createSnapshots, type Snapshots } from '../../services/commands/snapshots.ts';
import { type GroupState, group, groupStream } from '../../services/domain/group.ts';
import { encode } from '../../services/log/codec.ts';
import type { EventLog, NewEvent } from '../../services/log/log.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { created, gid, uid } from '../support/events.ts';
import { newEventId, silent, testTime } from '../support/projecting.ts';
import { wrapLog } from '../support/wrapped-log.ts';

let database: TestDatabase;
let log: EventLog;
let pool: Pool;
let snapshots: Snapshots;
/** How many events were read. */
let read = 0;
beforeAll(async () => {
  database = await createDatabase();
  log = await openPostgresLog({ connectionString: database.url });
  pool = createPool(database.url, silent);
  snapshots = createSnapshots(pool);
});
afterAll(async () => {
  await log.close();
  await pool.end();
  await database.drop();
});
beforeEach(() => {
  read = 0;
});

const metadata = { time: testTime, actor: 'server', $correlationId: 'test', $causationId: 'test' };
const remarked = (of: Gid, remark: string): NewEvent =>
  encode(newEventId(), { type: 'GroupRemarked', data: { gid: of, uid: uid(1), remark } }, metadata);

let lastGid = 500;
/** A group with this many events. */
async function groupWith(events: number): Promise<Gid> {
  const one = gid(++lastGid);
  const stream = groupStream(one).name;
  await log.append(stream, 'none', [encode(newEventId(), created(one, '群', 1, 2), metadata)]);
  const remarks = Array.from({ length: events - 1 }, (_, index) => remarked(one, `${index}`));
  for (let from = 0; from < remarks.length; from += 500) {
    const [first, ...rest] = remarks.slice(from, from + 500);
    if (first) await log.append(stream, 'any', [first, ...rest]);
  }
  return one;
}

const counting = () =>
  wrapLog(log, {
    async *readStream(stream, options) {
      for await (const record of log.readStream(stream, options)) {
        read++;
        yield record;
      }
    },
  });

/** What a process that starts now folds. */
async function folded(one: Gid, kept: Snapshots | undefined = snapshots): Promise<GroupState> {
  const store = new AggregateStore(counting(), () => undefined, kept && { snapshots: kept });
  await store.start();
  try {
    return structuredClone((await store.load(groupStream(one))).state);
  } finally {
    await store.stop();
  }
}

const rows = async () => (await pool.query('select stream, revision, version from folds.snapshots')).rows;

test('a long stream is folded from its last snapshot, to the same state', async () => {
  const one = await groupWith(4_321);
  const whole = await folded(one, undefined);
  expect(read).toBe(4_321);
  expect(await folded(one)).toEqual(whole);
  expect(await rows()).toEqual([
    { stream: `group-${one}`, revision: expect.anything(), version: group.version },
  ]);
  read = 0;
  expect(await folded(one)).toEqual(whole);
  // The first part, the event of the snapshot, and nothing after it.
  expect(read).toBe(eventsBetweenSnapshots + 1);
  await log.append(groupStream(one).name, 'any', [remarked(one, '后来')]);
  expect((await folded(one))?.members.get(uid(1))?.remark).toBe('后来');
});

test('a short stream has no snapshot, and none is looked up', async () => {
  const one = await groupWith(eventsBetweenSnapshots - 1);
  const broken: Snapshots = {
    find: () => Promise.reject(new Error('looked for')),
    keep: () => Promise.reject(new Error('kept')),
    drop: () => Promise.reject(new Error('dropped')),
  };
  const store = new AggregateStore(log, () => undefined, { snapshots: broken });
  await store.start();
  expect((await store.load(groupStream(one))).revision).toBe(eventsBetweenSnapshots - 2);
  await store.stop();
  expect((await rows()).map(({ stream }) => stream)).not.toContain(`group-${one}`);
});

test('a snapshot of another fold or log, or one that cannot be read, is ignored, and so is a missing table', async () => {
  const one = await groupWith(2_000);
  const whole = await folded(one);
  const stream = `group-${one}`;
  const spoils = [
    'update folds.snapshots set version = version + 1 where stream = $1',
    'update folds.snapshots set event_id = gen_random_uuid() where stream = $1',
    'update folds.snapshots set revision = revision + 1000 where stream = $1',
    'update folds.snapshots set skipped = 1 where stream = $1',
    "update folds.snapshots set state = 'x' where stream = $1",
    'delete from folds.snapshots where stream = $1',
  ];
  for (const spoil of spoils) {
    await pool.query(spoil, [stream]);
    read = 0;
    expect(await folded(one), spoil).toEqual(whole);
    expect(read, spoil).toBeGreaterThanOrEqual(2_000);
    // What was spoilt is replaced.
    read = 0;
    expect(await folded(one), spoil).toEqual(whole);
    expect(read, spoil).toBe(eventsBetweenSnapshots + 1);
  }
  const away = createPool('postgres://nobody@127.0.0.1:1/none', silent);
  expect(await folded(one, createSnapshots(away))).toEqual(whole);
  await away.end();
});

test('a decision to skip an event deletes the snapshot of its stream', async () => {
  const one = await groupWith(2_000);
  const stream = groupStream(one).name;
  const kept = async () => (await rows()).map((row) => row.stream).includes(stream);
  const last = await log.append(stream, 'any', [remarked(one, '不要')]);
  if (last.outcome !== 'appended') throw new Error(last.outcome);
  expect((await folded(one))?.members.get(uid(1))?.remark).toBe('不要');
  expect(await kept()).toBe(true);
  const store = new AggregateStore(log, () => undefined, { snapshots });
  await store.start();
  await skipEvent(log, last.position, 'a test');
  await vi.waitUntil(async () => !(await kept()));
  await store.stop();
  expect((await folded(one))?.members.get(uid(1))?.remark).toBe('1998');
});

test('a snapshot of a stream that is read during such a decision is not used', async () => {
  const one = await groupWith(1_500);
  const stream = groupStream(one).name;
  const last = await log.append(stream, 'any', [remarked(one, '不要')]);
  if (last.outcome !== 'appended') throw new Error(last.outcome);
  const [reached, decided] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const held = wrapLog(log, {
    async *readStream(name, options) {
      yield* log.readStream(name, options);
      if (name !== stream) return;
      reached.resolve();
      await decided.promise;
    },
  });
  const store = new AggregateStore(held, () => undefined, { snapshots });
  await store.start();
  const loading = store.load(groupStream(one));
  await reached.promise;
  const { event } = await skipEvent(log, last.position, 'a test');
  await vi.waitUntil(() => store.isSkipped(event));
  decided.resolve();
  await loading;
  await store.stop();
  expect((await folded(one))?.members.get(uid(1))?.remark).toBe('1498');
});
