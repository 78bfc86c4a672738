import { describe, expect, it } from 'vitest';
import type { GroupEvent } from '../../contracts/events/group.ts';
import { fold } from '../../services/domain/aggregate.ts';
import { group, groupStream, mayManage, mustMaySpeak, roleOf } from '../../services/domain/group.ts';
import { gid, mid, uid } from '../support/events.ts';

const now = 1_700_000_000;
const noticeMid = mid(1);
const created: GroupEvent = {
  type: 'GroupCreated',
  data: {
    gid: gid(50),
    owner: uid(1),
    members: [1, 2, 3, 4].map(uid),
    name: '群',
    avatar: null,
    noticeMid: null,
  },
};
const manager: GroupEvent = { type: 'ManagerAppointed', data: { gid: gid(50), uid: uid(2) } };
const groupMuted: GroupEvent = { type: 'GroupMuted', data: { gid: gid(50), by: uid(1), noticeMid } };
const groupUnmuted: GroupEvent = { type: 'GroupUnmuted', data: { gid: gid(50), by: uid(1), noticeMid } };
const muted = (who: number, until: number): GroupEvent => ({
  type: 'MemberMuted',
  data: { gid: gid(50), by: uid(1), uid: uid(who), until, noticeMid },
});
const removed: GroupEvent = {
  type: 'MembersRemoved',
  data: { gid: gid(50), by: uid(1), members: [uid(2)], faces: null },
};
const added: GroupEvent = {
  type: 'MembersAdded',
  data: { gid: gid(50), by: uid(1), members: [uid(2)], noticeMid },
};

/** The group after its creation and these events. */
function groupAfter(...events: GroupEvent[]) {
  const state = fold(group, [created, ...events]);
  if (!state) throw new Error('no group');
  return state;
}

/** What keeps someone from speaking; undefined if they may. */
function silence(who: number, at: number, ...events: GroupEvent[]): string | undefined {
  try {
    mustMaySpeak(groupAfter(...events), uid(who), at);
    return undefined;
  } catch (error) {
    if (error instanceof Error && 'reason' in error) return String(error.reason);
    throw error;
  }
}

describe('a group', () => {
  it('has its own stream', () => {
    expect(groupStream(gid(50)).name).toBe('group-50');
  });

  it('is created once, by the first event', () => {
    const again: GroupEvent = { ...created, data: { ...created.data, owner: uid(2), name: '二' } };
    expect(groupAfter(again)).toMatchObject({ owner: 1, name: '群' });
  });

  it('has no state without the event of its creation', () => {
    expect(fold(group, [added, manager, groupMuted])).toBeNull();
  });

  it('weighs more with more members', () => {
    expect(group.weight(groupAfter())).toBeLessThan(group.weight(groupAfter(...many(1000))));
  });

  function many(count: number): GroupEvent[] {
    const members = Array.from({ length: count }, (_, index) => uid(index + 10));
    return [{ type: 'MembersAdded', data: { gid: gid(50), by: uid(1), members, noticeMid } }];
  }
});

describe('roles', () => {
  it('are owner, manager, member, none', () => {
    const state = groupAfter(manager);
    expect([1, 2, 3, 9].map((who) => roleOf(state, uid(who)))).toEqual([
      'owner',
      'manager',
      'member',
      'none',
    ]);
    expect([1, 2, 3, 9].map((who) => mayManage(state, uid(who)))).toEqual([true, true, false, false]);
  });

  it('end with the membership: a manager who returns is an ordinary member', () => {
    expect(roleOf(groupAfter(manager, removed), uid(2))).toBe('none');
    expect(roleOf(groupAfter(manager, removed, added), uid(2))).toBe('member');
  });

  it('of the owner passes to the new one; the old one becomes an ordinary member', () => {
    const transferred: GroupEvent = {
      type: 'GroupTransferred',
      data: { gid: gid(50), from: uid(1), to: uid(2) },
    };
    const state = groupAfter(manager, muted(2, now + 60), transferred);
    expect([1, 2].map((who) => roleOf(state, uid(who)))).toEqual(['member', 'owner']);
    expect(state.founder).toBe(1);
    expect(silence(2, now, manager, muted(2, now + 60), transferred)).toBeUndefined();
  });
});

describe('who may speak', () => {
  it('includes every member', () => {
    expect(silence(3, now)).toBeUndefined();
  });

  it('excludes people who are no members', () => {
    expect(silence(9, now)).toBe('illegal');
    expect(silence(2, now, removed)).toBe('illegal');
  });

  it('excludes a muted member, until the second in which the mute ends', () => {
    const mute = muted(3, now + 60);
    expect(silence(3, now, mute)).toBe('muted');
    expect(silence(3, now + 59, mute)).toBe('muted');
    expect(silence(3, now + 60, mute)).toBeUndefined();
  });

  it('includes only the owner and managers while the whole group is muted', () => {
    expect([1, 2, 3].map((who) => silence(who, now, manager, groupMuted))).toEqual([
      undefined,
      undefined,
      'groupMuted',
    ]);
    expect(silence(3, now, groupMuted, groupUnmuted)).toBeUndefined();
  });

  it('names the member’s own mute before that of the group', () => {
    expect(silence(3, now, muted(3, now + 60), groupMuted)).toBe('muted');
  });

  it('excludes a manager whom the owner muted', () => {
    expect(silence(2, now, manager, muted(2, now + 60))).toBe('muted');
  });

  it('excludes a person who was muted before leaving the group and returning', () => {
    expect(silence(2, now, muted(2, now + 60), removed, added)).toBe('muted');
    expect(silence(2, now + 60, muted(2, now + 60), removed, added)).toBeUndefined();
  });
});
