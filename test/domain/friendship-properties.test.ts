import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Uid } from '../../contracts/ids.ts';
import * as friendships from '../../services/domain/friendship.ts';
import { applicationId, mid, uid } from '../support/events.ts';
import { type Decide, foldsInParts, live } from '../support/living.ts';

describe('two people, after any history', () => {
  const pair = fc.constantFrom([uid(1), uid(2)] as const, [uid(2), uid(1)] as const);
  const id = fc.nat({ max: 30 }).map((number) => applicationId(number + 1));
  const command: fc.Arbitrary<
    Decide<friendships.FriendshipState, ReturnType<typeof friendships.apply>[number]>
  > = fc.oneof(
    fc.tuple(pair, fc.constantFrom('', '你好', '再来')).map(
      ([[from, to], postscript]) =>
        (state: friendships.FriendshipState, step: number) =>
          friendships.apply(state, {
            from,
            to,
            postscript,
            applicationId: applicationId(step + 1),
            mid: mid(step + 1),
          }),
    ),
    fc.tuple(pair, id).map(
      ([[by], given]) =>
        (state: friendships.FriendshipState, step: number) =>
          friendships.agree(state, { by, applicationId: given, mid: mid(step + 1) }),
    ),
    fc.tuple(pair, id).map(
      ([[by], given]) =>
        (state: friendships.FriendshipState) =>
          friendships.refuse(state, { by, applicationId: given }),
    ),
    pair.map(
      ([by, friend]) =>
        (state: friendships.FriendshipState) =>
          friendships.befriend(state, { by, friend }),
    ),
    pair.map(
      ([by, friend]) =>
        (state: friendships.FriendshipState) =>
          friendships.unfriend(state, { by, friend }),
    ),
    fc.tuple(pair, fc.constantFrom('', '老鼠')).map(
      ([[by, friend], remark]) =>
        (state: friendships.FriendshipState) =>
          friendships.remark(state, { by, friend, remark }),
    ),
  );
  const commands = fc.array(command, { minLength: 1, maxLength: 30 });

  it('have at most one open application, none while they are friends, and remarks only then', () => {
    fc.assert(
      fc.property(commands, (given) => {
        live(friendships.friendship, given, (state) => {
          const open = [...state.applications.values()].filter(({ outcome }) => outcome === 'open');
          expect(open.length).toBeLessThanOrEqual(state.friends ? 0 : 1);
          expect(open.length).toBe(state.open ? 1 : 0);
          if (!state.friends) expect(state.remarks.size).toBe(0);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('become friends by one fact and end it by one, in turn', () => {
    fc.assert(
      fc.property(commands, (given) => {
        const events = live(friendships.friendship, given, () => {});
        const turns = events
          .map(({ type }) => type)
          .filter((type) => type === 'FriendAgreed' || type === 'Befriended' || type === 'Unfriended');
        turns.forEach((type, index) => {
          expect(type === 'Unfriended').toBe(index % 2 === 1);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('are agreed to and refused only by whom was asked, and each application once', () => {
    fc.assert(
      fc.property(commands, (given) => {
        const answered = new Set<number>();
        const asked = new Map<number, readonly [Uid, Uid]>();
        for (const { type, data } of live(friendships.friendship, given, () => {})) {
          if (type === 'FriendApplied') asked.set(data.applicationId, [data.from, data.to]);
          if (type !== 'FriendAgreed' && type !== 'FriendRefused') continue;
          expect(answered.has(data.applicationId)).toBe(false);
          answered.add(data.applicationId);
          expect([data.from, data.to]).toEqual(asked.get(data.applicationId));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('do nothing by doing the same again at once', () => {
    fc.assert(
      fc.property(commands, (given) => {
        const once = live(friendships.friendship, given, () => {});
        const twice = live(
          friendships.friendship,
          given.flatMap((one, step) => [(state) => one(state, step), (state) => one(state, step)]),
          () => {},
        );
        expect(twice).toEqual(once);
      }),
      { numRuns: 500 },
    );
  });

  it('are folded in parts as at once', () => {
    fc.assert(
      fc.property(commands, fc.nat(), (given, cut) => {
        const events = live(friendships.friendship, given, () => {});
        foldsInParts(friendships.friendship, events, cut % (events.length + 1));
      }),
      { numRuns: 300 },
    );
  });
});
