import { describe, expect, it, vi } from 'vitest';
import { AggregateStore } from '../../services/commands/aggregate-store.ts';
import { atLeastOne } from '../../services/commands/execute.ts';
import { groupStream } from '../../services/domain/group.ts';
import { userStream } from '../../services/domain/user.ts';
import { StrangeLog } from '../../services/log/identity.ts';
import type { EventLog, Position } from '../../services/log/log.ts';
import { skipStream } from '../../services/log/skips.ts';
import { created, registered, uid } from '../support/events.ts';
import { streamOf } from '../support/projecting.ts';
import { wrapLog } from '../support/wrapped-log.ts';
import {
  append,
  encoded,
  freshGid,
  freshUid,
  joined,
  named,
  useAggregateStore,
} from './aggregate-store-harness.ts';

const world = useAggregateStore();

describe('updating states', () => {
  it('applies what another process appends, without reading the stream again', async () => {
    const who = freshUid();
    await append(world.elsewhere, registered(who, '甲'));
    await world.store.load(userStream(who));
    await append(world.elsewhere, named(who, '乙'));
    await vi.waitUntil(() => world.store.peek(userStream(who))?.nickname === '乙');
    expect(world.readings).toBe(1);
  });

  it('applies what this process appended at once', async () => {
    const who = freshUid();
    await append(world.log, registered(who, '甲'));
    await world.store.load(userStream(who));
    const event = named(who, '乙');
    const appended = encoded(event);
    const result = await world.log.append(streamOf(event), 0, [appended]);
    if (result.outcome !== 'appended') throw new Error(result.outcome);
    world.store.appended(streamOf(event), [event], [appended.id], result, Date.now());
    expect(world.store.peek(userStream(who))?.nickname).toBe('乙');
    const { revision, position } = await world.store.load(userStream(who));
    expect({ revision, position }).toEqual({ revision: 1, position: result.position });
  });

  it('applies an event once that the appending command and the world.log both deliver', async () => {
    const group = freshGid();
    await append(world.log, created(group, '群', 1));
    await world.store.load(groupStream(group));
    const event = joined(group, 2);
    const appended = encoded(event);
    const result = await world.log.append(streamOf(event), 0, [appended]);
    if (result.outcome !== 'appended') throw new Error(result.outcome);
    world.store.appended(streamOf(event), [event], [appended.id], result, Date.now());
    const marker = freshUid();
    await world.store.load(userStream(marker));
    await append(world.log, registered(marker, '甲'));
    await vi.waitUntil(() => world.store.peek(userStream(marker)));
    expect(await world.store.load(groupStream(group))).toMatchObject({ revision: 1 });
    expect(world.readings).toBe(2);
  });

  it('folds the stream again if an event before the appended one is missing', async () => {
    const group = freshGid();
    await append(world.log, created(group, '群', 1));
    await world.store.load(groupStream(group));
    // Another process appends the joining of 2; this one's next event is applied before that is delivered.
    await append(world.elsewhere, joined(group, 2));
    const event = joined(group, 3);
    const appended = encoded(event);
    const result = await world.log.append(streamOf(event), 1, [appended]);
    if (result.outcome !== 'appended') throw new Error(result.outcome);
    world.store.appended(streamOf(event), [event], [appended.id], result, Date.now());
    const { state, revision } = await world.store.load(groupStream(group));
    expect([...(state?.members.keys() ?? [])]).toEqual([1, 2, 3]);
    expect(revision).toBe(2);
  });

  it('applies an event that is appended while the stream is being read', async () => {
    const group = freshGid();
    await append(world.log, created(group, '群', 1));
    for (let round = 2; round < 60; round++) {
      world.store.forget(groupStream(group).name);
      const event = joined(group, round);
      const appended = encoded(event);
      const appending = world.log.append(streamOf(event), 'any', [appended]);
      // The read begins before the append has its result, and may or may not include it.
      const loading = world.store.load(groupStream(group));
      const result = await appending;
      if (result.outcome !== 'appended') throw new Error(result.outcome);
      world.store.appended(streamOf(event), [event], [appended.id], result, Date.now());
      const { state } = await world.store.load(groupStream(group));
      expect(state?.members.has(uid(round)), `round ${round}`).toBe(true);
      await loading;
    }
  });

  it('reads on if an event before one that was appended during the read is missing', async () => {
    for (let round = 0; round < 10; round++) {
      const group = freshGid();
      await append(world.log, created(group, '群', 1));
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      let first = true;
      const held: EventLog = {
        ...world.counting(world.log),
        async *readStream(...parameters) {
          const records = await Array.fromAsync(world.log.readStream(...parameters));
          if (first && parameters[0] !== skipStream) {
            first = false;
            reached.resolve();
            await released;
          }
          yield* records;
        },
      };
      const reached = Promise.withResolvers<void>();
      const slow = new AggregateStore(held, (error) => world.failures.push(error));
      await slow.start();
      const loading = slow.load(groupStream(group));
      await reached.promise;
      // Two events are appended at once; the second is applied before the world.log can deliver the first.
      const [before, after] = [joined(group, 2), joined(group, 3)];
      const appended = [encoded(before), encoded(after)] as const;
      const result = await world.elsewhere.append(streamOf(after), 0, appended);
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
    await append(world.log, created(group, '群', 1));
    // Long enough for several pages.
    await world.log.append(
      groupStream(group).name,
      0,
      atLeastOne(Array.from({ length: 1500 }, (_, index) => encoded(joined(group, 10_000 + index)))),
    );
    let appending = true;
    const write = async (on: EventLog, first: number) => {
      for (let index = 0; index < 100; index++) await append(on, joined(group, first + index));
    };
    const writers = Promise.all([
      write(world.log, 1000),
      write(world.elsewhere, 2000),
      write(world.elsewhere, 3000),
    ]).then(() => {
      appending = false;
    });
    let rounds = 0;
    while (appending) {
      world.store.forget(groupStream(group).name);
      const { state, revision } = await world.store.load(groupStream(group));
      expect(state?.members.size).toBe(revision + 1);
      rounds++;
    }
    await writers;
    await vi.waitUntil(() => world.store.peek(groupStream(group))?.members.size === 1 + 1500 + 300);
    expect(rounds).toBeGreaterThan(1);
    expect(world.readings).toBeGreaterThanOrEqual(rounds);
  });

  it('continues at its position when the world.log of another installation is replaced by its own again', async () => {
    const who = freshUid();
    await append(world.log, registered(who, '猫'));
    const ended = new AbortController();
    /** Ends the running subscription, and new ones until the world.log is ours again. */
    let strange: Promise<unknown> | undefined = new Promise((resolve) => {
      ended.signal.addEventListener('abort', resolve);
    });
    const after: Position[] = [];
    const replaced = wrapLog(world.log, {
      async *subscribe(options) {
        after.push(options.after);
        const inner = new AbortController();
        void strange?.then(() => inner.abort());
        if (!ended.signal.aborted || strange === undefined) {
          yield* world.log.subscribe({ ...options, signal: AbortSignal.any([options.signal, inner.signal]) });
        }
        if (!options.signal.aborted) throw new StrangeLog('another');
      },
    });
    const other = await world.open(replaced);
    await append(world.log, named(who, '虎'));
    await vi.waitFor(async () => expect((await other.load(userStream(who))).state?.nickname).toBe('虎'));
    ended.abort();
    await vi.waitUntil(() => after.length > 2);
    await append(world.log, named(who, '豹'));
    strange = undefined;
    await vi.waitFor(() => expect(after.at(-1)).toBe(after[1]));
    await vi.waitFor(async () => expect((await other.load(userStream(who))).state?.nickname).toBe('豹'));
    expect(world.failures).toEqual([]);
    await other.stop();
  });

  it('stays equal to a fold from the beginning while two processes append', async () => {
    const group = freshGid();
    await append(world.log, created(group, '群', 1));
    await world.store.load(groupStream(group));
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        append(index % 3 ? world.log : world.elsewhere, joined(group, 2 + index)),
      ),
    );
    await vi.waitUntil(() => world.store.peek(groupStream(group))?.members.size === 201);
    const other = await world.open(world.log);
    const fresh = await other.load(groupStream(group));
    expect(world.store.peek(groupStream(group))).toEqual(fresh.state);
    await other.stop();
  });
});
