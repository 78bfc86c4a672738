import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import type { Uid } from '../../contracts/ids.ts';
import { group, isMuted, mustMaySpeak } from '../../services/domain/group.ts';
import * as groups from '../../services/domain/group-commands.ts';
import * as groupMembers from '../../services/domain/group-members.ts';
import * as groupMutes from '../../services/domain/group-mutes.ts';
import { gid, mid, uid } from '../support/events.ts';
import { type Decide, foldsInParts, live } from '../support/living.ts';

describe('a group after any commands', () => {
  const now = 1_700_000_000;
  const who = fc.integer({ min: 1, max: 6 }).map(uid);
  const some = fc.array(who, { maxLength: 4 });
  type Decision = Decide<ReturnType<typeof group.initial>, ReturnType<typeof groups.createGroup>[number]>;
  const command: fc.Arbitrary<Decision> = fc.oneof(
    fc.tuple(who, some).map(
      ([owner, members]): Decision =>
        (state, step) =>
          groups.createGroup(state, { gid: gid(50), owner, members, mid: mid(step + 1) }),
    ),
    fc.tuple(who, some).map(
      ([by, members]): Decision =>
        (state, step) =>
          groupMembers.addMembers(state, { by, members, mid: mid(step + 1) }),
    ),
    who.map(
      (one): Decision =>
        (state, step) =>
          groupMembers.joinGroup(state, { uid: one, mid: mid(step + 1) }),
    ),
    fc.tuple(who, some).map(
      ([by, members]): Decision =>
        (state) =>
          groupMembers.removeMembers(state, { by, members }),
    ),
    who.map(
      (one): Decision =>
        (state) =>
          groupMembers.leaveGroup(state, { uid: one }),
    ),
    fc.tuple(who, who, fc.boolean()).map(
      ([by, one, manager]): Decision =>
        (state) =>
          groups.setManager(state, { by, uid: one, manager }),
    ),
    fc.tuple(who, who, fc.constantFrom(0, 60, now - 1, now + 60, now + 600)).map(
      ([by, one, time]): Decision =>
        (state, step) =>
          groupMutes.muteMember(state, { by, uid: one, time, now, mid: mid(step + 1) }),
    ),
    fc.tuple(who, fc.boolean()).map(
      ([by, muted]): Decision =>
        (state, step) =>
          groupMutes.muteGroup(state, { by, muted, mid: mid(step + 1) }),
    ),
    fc.tuple(who, fc.constantFrom('', '家')).map(
      ([one, remark]): Decision =>
        (state) =>
          groups.remarkGroup(state, { uid: one, remark }),
    ),
    fc.tuple(who, fc.constantFrom('新', '群')).map(
      ([by, name]): Decision =>
        (state) =>
          groups.updateGroup(state, { by, name }),
    ),
    fc.tuple(who, who).map(
      ([by, to]): Decision =>
        (state) =>
          groups.transferGroup(state, { by, to }),
    ),
  );
  const dissolve: fc.Arbitrary<Decision> = who.map((by) => (state) => groups.dissolveGroup(state, { by }));
  const commands = fc
    .tuple(
      who,
      some,
      fc.array(fc.oneof({ weight: 40, arbitrary: command }, { weight: 1, arbitrary: dissolve }), {
        maxLength: 40,
      }),
    )
    .map(([owner, members, rest]): Decision[] => [
      (state) => groups.createGroup(state, { gid: gid(50), owner, members, mid: mid(1) }),
      ...rest,
    ]);

  it('has one owner, who is a member, no manager, and never muted', () => {
    fc.assert(
      fc.property(commands, (given) => {
        live(group, given, (state) => {
          const owner = state?.members.get(state.owner);
          expect(owner).toMatchObject({ manager: false });
          if (state) expect(isMuted(state, state.owner, now)).toBe(false);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('allows only members who are not muted to speak', () => {
    /** By the history, one event after the other. */
    const mayByHistory = (events: readonly DomainEvent[], one: Uid) => {
      let [member, manager, until, all, owner] = [false, false, 0, false, false];
      const enters = () => {
        [member, manager] = [true, false];
      };
      for (const { type, data } of events) {
        if (type === 'GroupCreated' && data.members.includes(one)) {
          enters();
          owner = data.owner === one;
        } else if (type === 'MembersAdded' && data.members.includes(one)) enters();
        else if (type === 'MemberJoined' && data.uid === one) enters();
        else if (type === 'MembersRemoved' && data.members.includes(one)) member = false;
        else if (type === 'MemberLeft' && data.uid === one) member = false;
        else if (type === 'ManagerAppointed' && data.uid === one) manager = true;
        else if (type === 'ManagerDismissed' && data.uid === one) manager = false;
        else if (type === 'MemberMuted' && data.uid === one) until = data.until;
        else if (type === 'MemberUnmuted' && data.uid === one) until = 0;
        else if (type === 'GroupMuted') all = true;
        else if (type === 'GroupUnmuted') all = false;
        else if (type === 'GroupDissolved') return false;
        else if (type === 'GroupTransferred') {
          owner = data.to === one;
          if (owner) until = 0;
        }
      }
      return member && (owner || (until <= now && (!all || manager)));
    };
    fc.assert(
      fc.property(commands, who, (given, one) => {
        live(group, given, (state, events) => {
          let may = true;
          try {
            if (state) mustMaySpeak(state, one, now);
          } catch {
            may = false;
          }
          expect(may).toBe(mayByHistory(events, one));
        });
      }),
      { numRuns: 500 },
    );
  });

  it('adds only people who are no members, and removes only members', () => {
    fc.assert(
      fc.property(commands, (given) => {
        const members = new Set<Uid>();
        const enters = (one: Uid) => {
          expect(members.has(one)).toBe(false);
          members.add(one);
        };
        const goes = (one: Uid) => expect(members.delete(one)).toBe(true);
        for (const { type, data } of live(group, given, () => {})) {
          if (type === 'GroupCreated' || type === 'MembersAdded') data.members.forEach(enters);
          if (type === 'MemberJoined') enters(data.uid);
          if (type === 'MembersRemoved') data.members.forEach(goes);
          if (type === 'MemberLeft') goes(data.uid);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('has no event after it was dissolved', () => {
    fc.assert(
      fc.property(commands, (given) => {
        const types = live(group, given, () => {}).map(({ type }) => type);
        const end = types.indexOf('GroupDissolved');
        if (end >= 0) expect(end).toBe(types.length - 1);
      }),
      { numRuns: 500 },
    );
  });

  it('folds to the same state in parts', () => {
    fc.assert(
      fc.property(commands, fc.nat(), (given, cut) => {
        const events = live(group, given, () => {});
        foldsInParts(group, events, cut % (events.length + 1));
      }),
      { numRuns: 300 },
    );
  });
});
