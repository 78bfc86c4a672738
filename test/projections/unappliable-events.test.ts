import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { firstReplacedMid } from '../../contracts/ids.ts';
import { skipEvent } from '../../services/commands/skip-event.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import type { EventLog, RecordedEvent, SubscribeOptions } from '../../services/log/log.ts';
import { between, gid, mid, sent, uid } from '../support/events.ts';
import { caughtUp, inBatchesOf, newEventId, recordedFault } from '../support/projecting.ts';
import { openProjectorsWorld, type ProjectorsWorld, talk, waiting } from '../support/projectors.ts';
import { wrapLog } from '../support/wrapped-log.ts';

let world: ProjectorsWorld;
beforeEach(async () => {
  world = await openProjectorsWorld();
});
afterEach(() => world.close());

/** The subscription of a log, with each record changed. */
async function* mapped(
  log: EventLog,
  options: SubscribeOptions,
  change: (record: RecordedEvent) => RecordedEvent,
) {
  for await (const records of log.subscribe(options)) yield records.map(change);
}

describe('an event that cannot be applied', () => {
  const metadata = { time: 0, actor: 'server', version: 1, $correlationId: 'x', $causationId: 'x' };

  async function stopsAt(message: RegExp): Promise<void> {
    const bad = await world.log.end();
    await world.given(sent(talk, 1, 99, 'after'));
    const projector = await world.start(inBatchesOf(100, world.log));
    await vi.waitUntil(() => projector.status().fault !== undefined, waiting);
    const { active, fault, checkpoint } = projector.status();
    expect(fault).toEqual({ reason: expect.stringMatching(message), position: bad });
    await expect.poll(() => recordedFault(world), waiting).toEqual(fault);
    expect(active).toBe(false);
    expect(checkpoint < bad).toBe(true);
    expect(await world.mids()).toEqual([10]);
    expect(await world.pushedMids()).toEqual([10]);
    expect(await projector.lag()).toBeGreaterThan(0);
  }

  it('of an unknown type stops the projector there, with all before it applied and nothing after', async () => {
    await world.given(sent(talk, 1, 10, 'before'));
    await world.log.append(streamName('user-1'), 'any', [
      { id: newEventId(), type: 'UserTeleported', data: {}, metadata },
    ]);
    await stopsAt(/UserTeleported at user-1@1 /);
  });

  it('with broken data stops the projector there', async () => {
    await world.given(sent(talk, 1, 10, 'before'));
    await world.log.append(streamName('user-1'), 'any', [
      { id: newEventId(), type: 'ProfileChanged', data: { uid: 'x' }, metadata },
    ]);
    await stopsAt(/ProfileChanged at user-1@1 /);
  });

  it('on which a projection throws stops the projector there', async () => {
    await world.given(sent(talk, 1, 10, 'before'), {
      type: 'MemberJoined',
      data: { gid: gid(7), uid: uid(1), noticeMid: mid(500) },
    });
    await stopsAt(/MemberJoined at group-7@0 .*never created/);
  });

  it('whose rows Postgres refuses stops the projector there', async () => {
    await world.query(`alter table read.messages add check (content <> 'refused')`);
    await world.given(sent(talk, 1, 10, 'before'), sent(between(1, 3), 1, 11, 'refused'));
    await stopsAt(/MessageSent at conversation-f1-3@0 .*violates check/);
  });

  it('is not a message with the mid of an earlier one: it is shown under another mid', async () => {
    await world.given(sent(talk, 1, 10, 'first'), sent(between(1, 3), 1, 10, 'second'));
    await world.given(sent(talk, 2, 10, 'third'), sent(talk, 1, 12, 'after'));
    await world.project();
    const shown = await world.query<{ mid: string; content: string }>(
      'select mid, content from read.messages order by content',
    );
    expect(shown.map(({ content }) => content)).toEqual(['after', 'first', 'second', 'third']);
    const [after, first, ...others] = shown.map((row) => Number(row.mid));
    expect([after, first]).toEqual([12, 10]);
    for (const other of others) {
      expect(other).toBeGreaterThanOrEqual(firstReplacedMid);
      expect(Number.isSafeInteger(other)).toBe(true);
    }
    expect(new Set(others).size).toBe(2);
    expect((await world.pushedMids()).sort()).toEqual([10, others[1], 12].sort());
    const before = await world.everything();
    await world.forget();
    await world.project(inBatchesOf(1, world.log));
    expect(await world.everything()).toEqual(before);
  });

  it('lets a projector of a program that knows it work, and stays stopped after that one', async () => {
    await world.given(sent(talk, 1, 10, 'before'));
    const newer = await world.append({ type: 'ProfileChanged', data: { uid: uid(1), nickname: '丙' } });
    const strange = (record: RecordedEvent) =>
      record.position === newer ? { ...record, type: 'UserTeleported' } : record;
    const older = await world.start(
      wrapLog(world.log, { subscribe: (options) => mapped(world.log, options, strange) }),
    );
    await vi.waitUntil(() => older.status().fault !== undefined, waiting);
    expect(older.status().fault).toMatchObject({
      reason: expect.stringMatching(/UserTeleported at user-1@1 .*unknown/),
    });
    await expect.poll(() => recordedFault(world), waiting).toEqual(older.status().fault);
    const knowing = await world.start();
    await world.given(sent(talk, 1, 11, 'after'));
    await caughtUp(world, knowing);
    expect(await world.mids()).toEqual([10, 11]);
    await knowing.stop();
    expect(older.status()).toMatchObject({ active: false, fault: { position: newer } });
    expect(await recordedFault(world)).toBeUndefined();
  });

  it('is skipped once that was decided, and what follows is applied', async () => {
    await world.given(sent(talk, 1, 10, 'before'));
    const bad = await world.append({
      type: 'MemberJoined',
      data: { gid: gid(7), uid: uid(1), noticeMid: mid(500) },
    });
    await world.given(sent(talk, 1, 11, 'after'));
    const projector = await world.start();
    await vi.waitUntil(() => projector.status().fault !== undefined, waiting);
    const { event } = await skipEvent(world.log, bad, 'a test');
    expect(event).toMatchObject({ type: 'MemberJoined', stream: 'group-7' });
    await caughtUp(world, projector, { despiteFault: true });
    expect(await world.mids()).toEqual([10, 11]);
    expect(projector.status().fault).toBeUndefined();
    expect(await recordedFault(world)).toBeUndefined();
    expect(projector.status().checkpoint).toBe(await world.log.end());
    await projector.stop();
    const before = await world.everything();
    await world.forget();
    await world.project();
    expect(await world.everything()).toEqual(before);
  });
});
