import { describe, expect, it, vi } from 'vitest';
import { atLeastOne } from '../../services/commands/execute.ts';
import { maxRememberedIds } from '../../services/commands/folded.ts';
import { groupStream } from '../../services/domain/group.ts';
import { userStream } from '../../services/domain/user.ts';
import type { NewEvent } from '../../services/log/log.ts';
import { created, registered, uid } from '../support/events.ts';
import { wrapLog } from '../support/wrapped-log.ts';
import {
  append,
  encoded,
  freshGid,
  freshNoticeMid,
  freshUid,
  joined,
  named,
  useAggregateStore,
} from './aggregate-store-harness.ts';

const world = useAggregateStore();

const thousand = atLeastOne(Array.from({ length: 1000 }, (_, index) => index + 1));

describe('bounded memory', () => {
  it('forgets the states used least recently', async () => {
    const small = await world.open(world.log, 10);
    const people = Array.from({ length: 30 }, freshUid);
    for (const who of people) await small.load(userStream(who));
    const kept = people.filter((who) => small.peek(userStream(who)) !== undefined);
    expect(kept).toEqual(people.slice(-10));
    await small.stop();
  });

  it('weighs a large group as much as many people', async () => {
    const small = await world.open(world.log, 60);
    const group = freshGid();
    await append(world.log, created(group, '大群', ...thousand));
    const people = Array.from({ length: 50 }, freshUid);
    for (const who of people) await small.load(userStream(who));
    await small.load(groupStream(group));
    const kept = people.filter((who) => small.peek(userStream(who)) !== undefined);
    // The group weighs 51.
    expect(kept).toEqual(people.slice(-9));
    await small.stop();
  });

  it('weighs a state again as it grows', async () => {
    const small = await world.open(world.log, 60);
    const group = freshGid();
    await append(world.log, created(group, '群', 1));
    await small.load(groupStream(group));
    const people = Array.from({ length: 50 }, freshUid);
    for (const who of people) await small.load(userStream(who));
    const members = Array.from({ length: 1000 }, (_, index) => uid(10_000 + index));
    const noticeMid = freshNoticeMid();
    await append(world.log, { type: 'MembersAdded', data: { gid: group, by: uid(1), members, noticeMid } });
    await vi.waitUntil(() => small.peek(groupStream(group))?.members.size === 1001);
    const kept = people.filter((who) => small.peek(userStream(who)) !== undefined);
    expect(kept.length).toBeLessThan(10);
    await small.stop();
  });

  it('loads a state that is too large to be kept', async () => {
    const small = await world.open(world.log, 10);
    const group = freshGid();
    await append(world.log, created(group, '大群', ...thousand));
    const { state } = await small.load(groupStream(group));
    expect(state?.members.size).toBe(1000);
    await append(world.log, joined(group, 5000));
    expect((await small.load(groupStream(group))).state?.members.size).toBe(1001);
    await small.stop();
  });
});

describe('over a world.log that may world.store an event twice', () => {
  const forgetful = () => wrapLog(world.log, { remembersIds: 'recently' });
  const naming = (who: number, nickname: string) => encoded(named(who, nickname));

  async function appendAll(who: number, events: readonly NewEvent[]): Promise<void> {
    for (let from = 0; from < events.length; from += 500) {
      const [first, ...rest] = events.slice(from, from + 500);
      if (first) await world.log.append(userStream(uid(who)).name, 'any', [first, ...rest]);
    }
  }

  /** A world.log that returns the second event of a stream again at its end, as EventStoreDB may have stored it. */
  const repeating = (who: number) =>
    wrapLog(forgetful(), {
      async *readStream(name, options) {
        const records = await Array.fromAsync(world.log.readStream(name, options));
        yield* records;
        const [second, end] = [records[1], records.at(-1)];
        if (name === userStream(uid(who)).name && second && end) {
          yield { ...second, revision: end.revision + 1, position: end.position };
        }
      },
    });

  it('applies only the first event of an id', async () => {
    const who = freshUid();
    await append(world.log, registered(who, '甲'));
    await appendAll(who, [naming(who, '乙'), naming(who, '丙')]);
    const opened = await world.open(repeating(who));
    expect((await opened.load(userStream(uid(who)))).state?.nickname).toBe('丙');
    await opened.stop();
  });

  it('weighs and limits the ids that it remembers of long streams', async () => {
    const people = Array.from({ length: 4 }, freshUid);
    for (const who of people) {
      await append(world.log, registered(who, '甲'));
      await appendAll(
        who,
        Array.from({ length: maxRememberedIds + 500 }, (_, index) => naming(who, `${index}`)),
      );
    }
    // Enough for two streams with the most ids, but not for four: ten ids weigh 1.
    const small = await world.open(forgetful(), 2.5 * (maxRememberedIds / 10));
    for (const who of people) await small.load(userStream(uid(who)));
    const kept = people.filter((who) => small.peek(userStream(uid(who))) !== undefined);
    expect(kept).toEqual(people.slice(2));
    await small.stop();
  });
});
