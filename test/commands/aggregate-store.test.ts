import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { AggregateStore } from '../../services/commands/aggregate-store.ts';
import { atLeastOne } from '../../services/commands/execute.ts';
import { maxRememberedIds } from '../../services/commands/folded.ts';
import { skipEvent } from '../../services/commands/skip-event.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { groupStream } from '../../services/domain/group.ts';
import { userStream } from '../../services/domain/user.ts';
import { encode, UnreadableEvent } from '../../services/log/codec.ts';
import { StrangeLog } from '../../services/log/identity.ts';
import type { AppendResult, EventLog, NewEvent, Position } from '../../services/log/log.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { skipStream } from '../../services/log/skips.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { created, gid, mid, registered, uid } from '../support/events.ts';
import { newEventId, streamOf } from '../support/projecting.ts';
import { wrapLog } from '../support/wrapped-log.ts';

let database: TestDatabase;
/** The log as this process and as another one has it open. */
let log: EventLog;
let elsewhere: EventLog;
let store: AggregateStore;
let failures: unknown[];
/** How many streams were read to be folded. */
let readings: number;

beforeAll(async () => {
  database = await createDatabase();
  const connectionString = database.url;
  [log, elsewhere] = await Promise.all([
    openPostgresLog({ connectionString }),
    openPostgresLog({ connectionString }),
  ]);
});

afterAll(async () => {
  await Promise.all([log.close(), elsewhere.close()]);
  await database.drop();
});

beforeEach(async () => {
  failures = [];
  readings = 0;
  store = await open(log);
});

afterEach(() => store.stop());

async function open(on: EventLog, maxWeight?: number, told = failures): Promise<AggregateStore> {
  const opened = new AggregateStore(counting(on), (error) => told.push(error), { maxWeight });
  await opened.start();
  return opened;
}

/** The log itself, with its readings counted. */
function counting(counted: EventLog): EventLog {
  return wrapLog(counted, {
    readStream: (stream, options) => {
      if (stream !== skipStream) readings++;
      return counted.readStream(stream, options);
    },
  });
}

function encoded(event: DomainEvent): NewEvent {
  const metadata = { time: 0, actor: 'server', $correlationId: 'test', $causationId: 'test' };
  return encode(newEventId(), event, metadata);
}

function append(on: EventLog, event: DomainEvent): Promise<AppendResult> {
  return on.append(streamOf(event), 'any', [encoded(event)]);
}

let lastId = 100;
const thousand = atLeastOne(Array.from({ length: 1000 }, (_, index) => index + 1));
const freshUid = () => uid(++lastId);
const freshGid = () => gid(++lastId);

function named(who: number, nickname: string): DomainEvent {
  return { type: 'ProfileChanged', data: { uid: uid(who), nickname } };
}

function joined(group: number, who: number): DomainEvent {
  const notice = { mid: mid(++lastId), content: 'in' };
  return { type: 'MemberJoined', data: { gid: gid(group), uid: uid(who), notice } };
}

describe('loading', () => {
  it('gives the initial state of a stream that has no events', async () => {
    const { state, revision, position } = await store.load(userStream(freshUid()));
    expect({ state, revision, position }).toEqual({ state: null, revision: -1, position: '' });
  });

  it('folds what the log holds, and tells how far', async () => {
    const who = freshUid();
    await append(log, registered(who, '甲'));
    const last = await append(log, named(who, '乙'));
    const { state, revision, position } = await store.load(userStream(who));
    expect(state?.nickname).toBe('乙');
    expect(revision).toBe(1);
    expect(last).toMatchObject({ outcome: 'appended', position });
  });

  it('reads a stream once, however many want it at once and afterwards', async () => {
    const who = freshUid();
    await append(log, registered(who, '甲'));
    await Promise.all(Array.from({ length: 50 }, () => store.load(userStream(who))));
    await store.load(userStream(who));
    expect(readings).toBe(1);
  });

  it('reads again after a reading that failed', async () => {
    const closing = await openPostgresLog({ connectionString: database.url });
    const who = freshUid();
    await append(log, registered(who, '甲'));
    let broken = true;
    const breaking: EventLog = {
      ...counting(closing),
      async *readStream(...parameters) {
        if (broken && parameters[0] !== skipStream) throw new Error('the connection broke');
        yield* closing.readStream(...parameters);
      },
    };
    const other = new AggregateStore(breaking, (error) => failures.push(error));
    await other.start();
    await expect(other.load(userStream(who))).rejects.toThrow('broke');
    broken = false;
    expect((await other.load(userStream(who))).state?.nickname).toBe('甲');
    await other.stop();
    await closing.close();
  });

  it('peeks only at what is at hand', async () => {
    const who = freshUid();
    await append(log, registered(who, '甲'));
    expect(store.peek(userStream(who))).toBeUndefined();
    const loading = store.load(userStream(who));
    expect(store.peek(userStream(who))).toBeUndefined();
    await loading;
    expect(store.peek(userStream(who))?.nickname).toBe('甲');
    expect(readings).toBe(1);
  });
});

describe('keeping fresh', () => {
  it('sees what another process appends, without reading the stream again', async () => {
    const who = freshUid();
    await append(elsewhere, registered(who, '甲'));
    await store.load(userStream(who));
    await append(elsewhere, named(who, '乙'));
    await vi.waitUntil(() => store.peek(userStream(who))?.nickname === '乙');
    expect(readings).toBe(1);
  });

  it('sees what it is told was appended, at once', async () => {
    const who = freshUid();
    await append(log, registered(who, '甲'));
    await store.load(userStream(who));
    const event = named(who, '乙');
    const appended = encoded(event);
    const result = await log.append(streamOf(event), 0, [appended]);
    if (result.outcome !== 'appended') throw new Error(result.outcome);
    store.appended(streamOf(event), [event], [appended.id], result, Date.now());
    expect(store.peek(userStream(who))?.nickname).toBe('乙');
    const { revision, position } = await store.load(userStream(who));
    expect({ revision, position }).toEqual({ revision: 1, position: result.position });
  });

  it('takes in an event once, though it is told of it and hears of it from the log', async () => {
    const group = freshGid();
    await append(log, created(group, '群', 1));
    await store.load(groupStream(group));
    const event = joined(group, 2);
    const appended = encoded(event);
    const result = await log.append(streamOf(event), 0, [appended]);
    if (result.outcome !== 'appended') throw new Error(result.outcome);
    store.appended(streamOf(event), [event], [appended.id], result, Date.now());
    const marker = freshUid();
    await store.load(userStream(marker));
    await append(log, registered(marker, '甲'));
    await vi.waitUntil(() => store.peek(userStream(marker)));
    expect(await store.load(groupStream(group))).toMatchObject({ revision: 1 });
    expect(readings).toBe(2);
  });

  it('folds anew where it is told of something whose predecessor it has not heard of', async () => {
    const group = freshGid();
    await append(log, created(group, '群', 1));
    await store.load(groupStream(group));
    // Another process joins 2; what this one appended right after it is told before that is heard.
    await append(elsewhere, joined(group, 2));
    const event = joined(group, 3);
    const appended = encoded(event);
    const result = await log.append(streamOf(event), 1, [appended]);
    if (result.outcome !== 'appended') throw new Error(result.outcome);
    store.appended(streamOf(event), [event], [appended.id], result, Date.now());
    const { state, revision } = await store.load(groupStream(group));
    expect([...(state?.members.keys() ?? [])]).toEqual([1, 2, 3]);
    expect(revision).toBe(2);
  });

  it('is told of something while the stream is being read, and has it once it is read', async () => {
    const group = freshGid();
    await append(log, created(group, '群', 1));
    for (let round = 2; round < 60; round++) {
      store.forget(groupStream(group).name);
      const event = joined(group, round);
      const appended = encoded(event);
      const appending = log.append(streamOf(event), 'any', [appended]);
      // The reading begins before the append is known to stand, and may or may not meet it.
      const loading = store.load(groupStream(group));
      const result = await appending;
      if (result.outcome !== 'appended') throw new Error(result.outcome);
      store.appended(streamOf(event), [event], [appended.id], result, Date.now());
      const { state } = await store.load(groupStream(group));
      expect(state?.members.has(uid(round)), `round ${round}`).toBe(true);
      await loading;
    }
  });

  it('reads on where it is told, during a reading, of something whose predecessor it has not met', async () => {
    for (let round = 0; round < 10; round++) {
      const group = freshGid();
      await append(log, created(group, '群', 1));
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      let first = true;
      const held: EventLog = {
        ...counting(log),
        async *readStream(...parameters) {
          const records = await Array.fromAsync(log.readStream(...parameters));
          if (first && parameters[0] !== skipStream) {
            first = false;
            reached.resolve();
            await released;
          }
          yield* records;
        },
      };
      const reached = Promise.withResolvers<void>();
      const slow = new AggregateStore(held, (error) => failures.push(error));
      await slow.start();
      const loading = slow.load(groupStream(group));
      await reached.promise;
      // Two events come at once; of the second it is told before the tail can bring the first.
      const [before, after] = [joined(group, 2), joined(group, 3)];
      const appended = [encoded(before), encoded(after)] as const;
      const result = await elsewhere.append(streamOf(after), 0, appended);
      if (result.outcome !== 'appended') throw new Error(result.outcome);
      slow.appended(streamOf(after), [after], [appended[1].id], result, Date.now());
      release();
      const { state, revision } = await loading;
      expect([...(state?.members.keys() ?? [])]).toEqual([1, 2, 3]);
      expect(revision).toBe(2);
      await slow.stop();
    }
  });

  it('loses nothing that others append while a stream is being read', async () => {
    const group = freshGid();
    await append(log, created(group, '群', 1));
    // Long enough to be read in many pages.
    await log.append(
      groupStream(group).name,
      0,
      atLeastOne(Array.from({ length: 1500 }, (_, index) => encoded(joined(group, 10_000 + index)))),
    );
    let appending = true;
    const write = async (on: EventLog, first: number) => {
      for (let index = 0; index < 100; index++) await append(on, joined(group, first + index));
    };
    const writers = Promise.all([write(log, 1000), write(elsewhere, 2000), write(elsewhere, 3000)]).then(
      () => {
        appending = false;
      },
    );
    let rounds = 0;
    while (appending) {
      store.forget(groupStream(group).name);
      const { state, revision } = await store.load(groupStream(group));
      expect(state?.members.size).toBe(revision + 1);
      rounds++;
    }
    await writers;
    await vi.waitUntil(() => store.peek(groupStream(group))?.members.size === 1 + 1500 + 300);
    expect(rounds).toBeGreaterThan(1);
    expect(readings).toBeGreaterThanOrEqual(rounds);
  });

  it('goes on where it was once the log of another installation has been replaced by ours again', async () => {
    const who = freshUid();
    await append(log, registered(who, '猫'));
    const ended = new AbortController();
    /** What a subscription under way is ended by, and new ones until the log is ours. */
    let strange: Promise<unknown> | undefined = new Promise((resolve) => {
      ended.signal.addEventListener('abort', resolve);
    });
    const after: Position[] = [];
    const replaced = wrapLog(log, {
      async *subscribe(options) {
        after.push(options.after);
        const inner = new AbortController();
        void strange?.then(() => inner.abort());
        if (!ended.signal.aborted || strange === undefined) {
          yield* log.subscribe({ ...options, signal: AbortSignal.any([options.signal, inner.signal]) });
        }
        if (!options.signal.aborted) throw new StrangeLog('another');
      },
    });
    const other = await open(replaced);
    await append(log, named(who, '虎'));
    await vi.waitFor(async () => expect((await other.load(userStream(who))).state?.nickname).toBe('虎'));
    ended.abort();
    await vi.waitUntil(() => after.length > 2);
    await append(log, named(who, '豹'));
    strange = undefined;
    await vi.waitFor(() => expect(after.at(-1)).toBe(after[1]));
    await vi.waitFor(async () => expect((await other.load(userStream(who))).state?.nickname).toBe('豹'));
    expect(failures).toEqual([]);
    await other.stop();
  });

  it('stays equal to a fold from the beginning, whatever comes from where in between', async () => {
    const group = freshGid();
    await append(log, created(group, '群', 1));
    await store.load(groupStream(group));
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        append(index % 3 ? log : elsewhere, joined(group, 2 + index)),
      ),
    );
    await vi.waitUntil(() => store.peek(groupStream(group))?.members.size === 201);
    const other = await open(log);
    const fresh = await other.load(groupStream(group));
    expect(store.peek(groupStream(group))).toEqual(fresh.state);
    await other.stop();
  });
});

describe('bounded memory', () => {
  it('forgets those used least recently', async () => {
    const small = await open(log, 10);
    const people = Array.from({ length: 30 }, freshUid);
    for (const who of people) await small.load(userStream(who));
    const kept = people.filter((who) => small.peek(userStream(who)) !== undefined);
    expect(kept).toEqual(people.slice(-10));
    await small.stop();
  });

  it('weighs a state by what it has become: one great group takes the room of many people', async () => {
    const small = await open(log, 60);
    const group = freshGid();
    await append(log, created(group, '大群', ...thousand));
    const people = Array.from({ length: 50 }, freshUid);
    for (const who of people) await small.load(userStream(who));
    await small.load(groupStream(group));
    const kept = people.filter((who) => small.peek(userStream(who)) !== undefined);
    // The group weighs 51.
    expect(kept).toEqual(people.slice(-9));
    await small.stop();
  });

  it('weighs a state anew as it grows', async () => {
    const small = await open(log, 60);
    const group = freshGid();
    await append(log, created(group, '群', 1));
    await small.load(groupStream(group));
    const people = Array.from({ length: 50 }, freshUid);
    for (const who of people) await small.load(userStream(who));
    const members = Array.from({ length: 1000 }, (_, index) => uid(10_000 + index));
    const notice = { mid: mid(++lastId), content: 'in' };
    await append(log, { type: 'MembersAdded', data: { gid: group, by: uid(1), members, notice } });
    await vi.waitUntil(() => small.peek(groupStream(group))?.members.size === 1001);
    const kept = people.filter((who) => small.peek(userStream(who)) !== undefined);
    expect(kept.length).toBeLessThan(10);
    await small.stop();
  });

  it('answers what is too great to be kept all the same', async () => {
    const small = await open(log, 10);
    const group = freshGid();
    await append(log, created(group, '大群', ...thousand));
    const { state } = await small.load(groupStream(group));
    expect(state?.members.size).toBe(1000);
    await append(log, joined(group, 5000));
    expect((await small.load(groupStream(group))).state?.members.size).toBe(1001);
    await small.stop();
  });
});

const idOf = (failure: unknown) => (failure instanceof UnreadableEvent ? failure.event.id : newEventId());

const brokenData = { uid: 'no number' };

/** An event that no program can read, or one of a program that is newer than this one. */
function appendBad(
  who: number,
  change: { type: string } | { data: typeof brokenData },
): Promise<AppendResult> {
  return log.append(userStream(uid(who)).name, 'any', [{ ...encoded(named(who, '乙')), ...change }]);
}

const positionOf = (result: AppendResult) => (result.outcome === 'conflict' ? '' : result.position);

describe('an event that cannot be read', () => {
  it('fails the loading of its stream, and of no other', async () => {
    const who = freshUid();
    await append(log, registered(who, '甲'));
    await appendBad(who, { data: brokenData });
    const told: unknown[] = [];
    const later = await open(log, undefined, told);
    await expect(later.load(userStream(who))).rejects.toMatchObject({ reason: 'notReady' });
    await expect(later.load(userStream(who))).rejects.toMatchObject({ reason: 'notReady' });
    expect((await later.load(userStream(freshUid()))).state).toBeNull();
    expect(told).toEqual([expect.any(UnreadableEvent)]);
    expect(later.obstacle).toBeUndefined();
    await later.stop();
  });

  it('is told of where it arrives for a state that is kept, for that state would be stale', async () => {
    const who = freshUid();
    await append(log, registered(who, '甲'));
    await store.load(userStream(who));
    await appendBad(who, { data: brokenData });
    await vi.waitUntil(() => failures.length > 0);
    expect(failures[0]).toBeInstanceOf(UnreadableEvent);
    expect(String(failures[0])).toContain(`user-${who}@1`);
    expect(store.peek(userStream(who))).toBeUndefined();
    await expect(store.load(userStream(who))).rejects.toMatchObject({ reason: 'notReady' });
  });

  it('is as if it had never happened once it is passed over, also by a decision of another process', async () => {
    const who = freshUid();
    await append(log, registered(who, '甲'));
    const bad = await appendBad(who, { data: brokenData });
    await append(log, named(who, '丙'));
    await expect(store.load(userStream(who))).rejects.toMatchObject({ reason: 'notReady' });
    await skipEvent(elsewhere, positionOf(bad), 'a test');
    await vi.waitUntil(() => store.isSkipped({ stream: userStream(who).name, id: idOf(failures[0]) }));
    for (const one of [store, await open(log)]) {
      const { state, revision } = await one.load(userStream(who));
      expect(state?.nickname).toBe('丙');
      expect(revision).toBe(2);
      await one.stop();
    }
  });

  it('is passed over in a state that has taken it in, where it can be read', async () => {
    const who = freshUid();
    await append(log, registered(who, '甲'));
    const regretted = await append(log, named(who, '乙'));
    expect((await store.load(userStream(who))).state?.nickname).toBe('乙');
    await skipEvent(elsewhere, positionOf(regretted), 'a test');
    await vi.waitUntil(async () => (await store.load(userStream(who))).state?.nickname === '甲');
    expect((await store.load(userStream(who))).revision).toBe(1);
  });
});

describe('over a log that may keep an event twice', () => {
  const forgetful = () => wrapLog(log, { remembersIds: 'recently' });
  const naming = (who: number, nickname: string) => encoded(named(who, nickname));

  async function appendAll(who: number, events: readonly NewEvent[]): Promise<void> {
    for (let from = 0; from < events.length; from += 500) {
      const [first, ...rest] = events.slice(from, from + 500);
      if (first) await log.append(userStream(uid(who)).name, 'any', [first, ...rest]);
    }
  }

  /** The log with the second event of a stream read once more at its end, as EventStoreDB may have stored it. */
  const repeating = (who: number) =>
    wrapLog(forgetful(), {
      async *readStream(name, options) {
        const records = await Array.fromAsync(log.readStream(name, options));
        yield* records;
        const [second, end] = [records[1], records.at(-1)];
        if (name === userStream(uid(who)).name && second && end) {
          yield { ...second, revision: end.revision + 1, position: end.position };
        }
      },
    });

  it('the first event of an id counts', async () => {
    const who = freshUid();
    await append(log, registered(who, '甲'));
    await appendAll(who, [naming(who, '乙'), naming(who, '丙')]);
    const opened = await open(repeating(who));
    expect((await opened.load(userStream(uid(who)))).state?.nickname).toBe('丙');
    await opened.stop();
  });

  it('the ids that are remembered of long streams are weighed, and bounded', async () => {
    const people = Array.from({ length: 4 }, freshUid);
    for (const who of people) {
      await append(log, registered(who, '甲'));
      await appendAll(
        who,
        Array.from({ length: maxRememberedIds + 500 }, (_, index) => naming(who, `${index}`)),
      );
    }
    // Room for two streams with the most ids, and not for four: each has a tenth of them in weight.
    const small = await open(forgetful(), 2.5 * (maxRememberedIds / 10));
    for (const who of people) await small.load(userStream(uid(who)));
    const kept = people.filter((who) => small.peek(userStream(uid(who))) !== undefined);
    expect(kept).toEqual(people.slice(2));
    await small.stop();
  });
});

describe('an event of a newer program', () => {
  it('stops deciding altogether, whether or not its stream is at hand, until it is passed over', async () => {
    const [who, other] = [freshUid(), freshUid()];
    await append(log, registered(who, '甲'));
    const newer = await appendBad(other, { type: 'UserTeleported' });
    await vi.waitUntil(() => store.obstacle !== undefined);
    expect(store.obstacle?.message).toMatch(`UserTeleported at user-${other}@0`);
    await expect(store.load(userStream(who))).rejects.toMatchObject({
      reason: 'notReady',
      message: expect.stringContaining('升级程序'),
    });
    expect(failures).toHaveLength(1);
    await skipEvent(elsewhere, positionOf(newer), 'a test');
    await vi.waitUntil(() => store.obstacle === undefined);
    expect((await store.load(userStream(who))).state?.nickname).toBe('甲');
    expect((await store.load(userStream(other))).state).toBeNull();
  });

  it('is nothing to the store where it lies in a conversation', async () => {
    const who = freshUid();
    await store.load(userStream(who));
    const stream = streamName(`conversation-g${freshGid()}`);
    await log.append(stream, 'any', [{ ...encoded(named(who, '乙')), type: 'NobodyKnows' }]);
    await append(log, registered(who, '甲'));
    await vi.waitUntil(() => store.peek(userStream(who))?.nickname === '甲');
    expect(failures).toEqual([]);
  });
});
