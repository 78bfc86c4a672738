import { describe, expect, it, vi } from 'vitest';
import { skipEvent } from '../../services/commands/skip-event.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { userStream } from '../../services/domain/user.ts';
import { UnreadableEvent } from '../../services/log/codec.ts';
import type { AppendResult } from '../../services/log/log.ts';
import { registered, uid } from '../support/events.ts';
import { newEventId } from '../support/projecting.ts';
import { append, encoded, freshGid, freshUid, named, useAggregateStore } from './aggregate-store-harness.ts';

const world = useAggregateStore();

const idOf = (failure: unknown) => (failure instanceof UnreadableEvent ? failure.event.id : newEventId());

const brokenData = { uid: 'no number' };

/** An event that no program can read, or one of a program that is newer than this one. */
function appendBad(
  who: number,
  change: { type: string } | { data: typeof brokenData },
): Promise<AppendResult> {
  return world.log.append(userStream(uid(who)).name, 'any', [{ ...encoded(named(who, '乙')), ...change }]);
}

const positionOf = (result: AppendResult) => (result.outcome === 'conflict' ? '' : result.position);

describe('an event that cannot be read', () => {
  it('fails loads of its stream, and of no other', async () => {
    const who = freshUid();
    await append(world.log, registered(who, '甲'));
    await appendBad(who, { data: brokenData });
    const reported: unknown[] = [];
    const later = await world.open(world.log, undefined, reported);
    await expect(later.load(userStream(who))).rejects.toMatchObject({ reason: 'notReady' });
    await expect(later.load(userStream(who))).rejects.toMatchObject({ reason: 'notReady' });
    expect((await later.load(userStream(freshUid()))).state).toBeNull();
    expect(reported).toEqual([expect.any(UnreadableEvent)]);
    expect(later.obstacle).toBeUndefined();
    await later.stop();
  });

  it('is reported when it arrives for a state in memory, which is forgotten', async () => {
    const who = freshUid();
    await append(world.log, registered(who, '甲'));
    await world.store.load(userStream(who));
    await appendBad(who, { data: brokenData });
    await vi.waitUntil(() => world.failures.length > 0);
    expect(world.failures[0]).toBeInstanceOf(UnreadableEvent);
    expect(String(world.failures[0])).toContain(`user-${who}@1`);
    expect(world.store.peek(userStream(who))).toBeUndefined();
    await expect(world.store.load(userStream(who))).rejects.toMatchObject({ reason: 'notReady' });
  });

  it('has no effect once it is skipped, also by a decision of another process', async () => {
    const who = freshUid();
    await append(world.log, registered(who, '甲'));
    const bad = await appendBad(who, { data: brokenData });
    await append(world.log, named(who, '丙'));
    await expect(world.store.load(userStream(who))).rejects.toMatchObject({ reason: 'notReady' });
    await skipEvent(world.elsewhere, positionOf(bad), 'a test');
    await vi.waitUntil(() =>
      world.store.isSkipped({ stream: userStream(who).name, id: idOf(world.failures[0]), revision: 1 }),
    );
    for (const one of [world.store, await world.open(world.log)]) {
      const { state, revision } = await one.load(userStream(who));
      expect(state?.nickname).toBe('丙');
      expect(revision).toBe(2);
      await one.stop();
    }
  });

  it('can be skipped after a state has applied it, if it is readable', async () => {
    const who = freshUid();
    await append(world.log, registered(who, '甲'));
    const regretted = await append(world.log, named(who, '乙'));
    expect((await world.store.load(userStream(who))).state?.nickname).toBe('乙');
    await skipEvent(world.elsewhere, positionOf(regretted), 'a test');
    await vi.waitUntil(async () => (await world.store.load(userStream(who))).state?.nickname === '甲');
    expect((await world.store.load(userStream(who))).revision).toBe(1);
  });
});

describe('an event of a newer program', () => {
  it('stops all decisions until it is skipped, whether or not its stream is in memory', async () => {
    const [who, other] = [freshUid(), freshUid()];
    await append(world.log, registered(who, '甲'));
    const newer = await appendBad(other, { type: 'UserTeleported' });
    await vi.waitUntil(() => world.store.obstacle !== undefined);
    expect(world.store.obstacle?.message).toMatch(`UserTeleported at user-${other}@0`);
    await expect(world.store.load(userStream(who))).rejects.toMatchObject({
      reason: 'notReady',
      message: expect.stringContaining('升级程序'),
    });
    expect(world.failures).toHaveLength(1);
    await skipEvent(world.elsewhere, positionOf(newer), 'a test');
    await vi.waitUntil(() => world.store.obstacle === undefined);
    expect((await world.store.load(userStream(who))).state?.nickname).toBe('甲');
    expect((await world.store.load(userStream(other))).state).toBeNull();
  });

  it('does not concern the world.store if it is in a conversation', async () => {
    const who = freshUid();
    await world.store.load(userStream(who));
    const stream = streamName(`conversation-g${freshGid()}`);
    await world.log.append(stream, 'any', [{ ...encoded(named(who, '乙')), type: 'NobodyKnows' }]);
    await append(world.log, registered(who, '甲'));
    await vi.waitUntil(() => world.store.peek(userStream(who))?.nickname === '甲');
    expect(world.failures).toEqual([]);
  });
});
