import { describe, expect, it } from 'vitest';
import type { Uid } from '../../contracts/ids.ts';
import type { Application } from '../../services/api/application.ts';
import { execute } from '../../services/commands/execute.ts';
import { agree, apply, friendshipStream, refuse } from '../../services/domain/friendship.ts';
import { context } from '../support/acting.ts';
import { outcome, rounds, useTwoApplications } from './races-harness.ts';

const world = useTwoApplications();
const { person, eventsOf } = world;

async function applying(on: Application, from: Uid, to: Uid) {
  const [applicationId, mid] = await Promise.all([
    world.here.ids.nextApplicationId(),
    world.here.ids.nextMid(),
  ]);
  return () =>
    execute(on, friendshipStream(from, to), context(from), (state) =>
      apply(state, { from, to, postscript: '', applicationId, mid }),
    );
}

describe('two people who apply to each other at once', () => {
  it('become friends by one application and one agreement', async () => {
    for (let round = 0; round < rounds; round++) {
      const [one, other] = [await person(), await person()];
      const both = await Promise.all([applying(world.here, one, other), applying(world.there, other, one)]);
      await Promise.all(both.map((act) => act()));
      const events = await eventsOf(friendshipStream(one, other).name);
      expect(events.map(({ type }) => type)).toEqual(['FriendApplied', 'FriendAgreed']);
      const [applied, agreed] = events.map(({ data }) => data);
      expect(agreed).toMatchObject({
        applicationId: applied && 'applicationId' in applied && applied.applicationId,
        from: applied && 'from' in applied && applied.from,
      });
    }
  });
});

describe('several answers to an application at once', () => {
  async function applied() {
    const [one, other] = [await person(), await person()];
    const act = await applying(world.here, one, other);
    const { events } = await act();
    const [event] = events;
    if (event?.type !== 'FriendApplied') throw new Error('not applied');
    await world.there.store.load(friendshipStream(one, other));
    const { applicationId } = event.data;
    const agreeing = async (on: Application) => {
      const mid = await world.here.ids.nextMid();
      return execute(on, friendshipStream(one, other), context(other), (state) =>
        agree(state, { by: other, applicationId, mid }),
      );
    };
    const refusing = (on: Application) =>
      execute(on, friendshipStream(one, other), context(other), (state) =>
        refuse(state, { by: other, applicationId }),
      );
    return { stream: friendshipStream(one, other).name, agreeing, refusing };
  }

  it('agree once, with one greeting, if all of them agree', async () => {
    for (let round = 0; round < rounds; round++) {
      const { stream, agreeing } = await applied();
      await Promise.all([
        agreeing(world.here),
        agreeing(world.there),
        agreeing(world.here),
        agreeing(world.there),
      ]);
      expect((await eventsOf(stream)).map(({ type }) => type)).toEqual(['FriendApplied', 'FriendAgreed']);
    }
  });

  it('let one of agreeing and refusing succeed, and refuse the other', async () => {
    for (let round = 0; round < rounds; round++) {
      const { stream, agreeing, refusing } = await applied();
      const outcomes = await Promise.all([outcome(agreeing(world.here)), outcome(refusing(world.there))]);
      expect([...outcomes].sort()).toEqual(['alreadyAnswered', 'done']);
      const last = (await eventsOf(stream)).at(-1)?.type;
      expect(last).toBe(outcomes[0] === 'done' ? 'FriendAgreed' : 'FriendRefused');
    }
  });
});
