import { describe, it } from 'vitest';
import type { GroupEvent } from '../../contracts/events/group.ts';
import type { Uid } from '../../contracts/ids.ts';
import { group } from '../../services/domain/group.ts';
import { maxInvitations } from '../../services/domain/group-invitations.ts';
import * as groupMembers from '../../services/domain/group-members.ts';
import { applicationId, gid, uid } from '../support/events.ts';
import {
  appointed,
  created,
  dissolved,
  manager,
  member,
  noticeMid,
  other,
  owner,
  stranger,
} from '../support/group-events.ts';
import { given } from '../support/specification.ts';

describe('adding members', () => {
  const inviting = (by: Uid, ...members: Uid[]) => ({ by, members, mid: noticeMid });

  it('by any member adds people, with a notice', () => {
    given(group, created)
      .when((state) => groupMembers.addMembers(state, inviting(member, stranger)))
      .gives({
        type: 'MembersAdded',
        data: { gid: gid(50), by: member, members: [stranger], noticeMid },
      });
  });

  it('ignores members and duplicates', () => {
    given(group, created)
      .when((state) => groupMembers.addMembers(state, inviting(member, other, stranger, stranger)))
      .gives({
        type: 'MembersAdded',
        data: { gid: gid(50), by: member, members: [stranger], noticeMid },
      });
    given(group, created)
      .when((state) => groupMembers.addMembers(state, inviting(member, other, owner)))
      .givesNothing();
  });

  it('is refused to those who are no members', () => {
    given(group, created)
      .when((state) => groupMembers.addMembers(state, inviting(stranger, uid(10))))
      .refuses('illegal');
    given(group, created)
      .when((state) => groupMembers.addMembers(state, inviting(stranger, stranger)))
      .refuses('illegal');
  });

  it('is refused if the group would have too many members', () => {
    const crowd = Array.from({ length: groupMembers.maxMembers - 3 }, (_, index) => uid(index + 100));
    given(group, created)
      .when((state) => groupMembers.addMembers(state, inviting(member, ...crowd)))
      .refuses('illegal');
    given(group, created)
      .when((state) => groupMembers.addMembers(state, inviting(member, ...crowd.slice(1), other)).slice(1))
      .givesNothing();
  });
});

describe('inviting people', () => {
  it('is refused if more invitations would wait than a group may have', () => {
    const invitations = (count: number, from: number) =>
      Array.from({ length: count }, (_, index) => ({
        ...{ uid: uid(from + index), applicationId: applicationId(from + index) },
      }));
    const waiting: GroupEvent = {
      type: 'MembersInvited',
      data: { gid: gid(50), by: owner, invitations: invitations(maxInvitations - 1, 1_000) },
    };
    const inviting = (count: number) => ({
      ...{ by: member, members: [], mid: noticeMid, invitations: invitations(count, 100_000) },
    });
    given(group, created, waiting)
      .when((state) => groupMembers.addMembers(state, inviting(1)))
      .gives({
        type: 'MembersInvited',
        data: { gid: gid(50), by: member, invitations: invitations(1, 100_000) },
      });
    given(group, created, waiting)
      .when((state) => groupMembers.addMembers(state, inviting(2)))
      .refuses('limitReached');
  });
});

describe('joining a group', () => {
  const joining = { uid: stranger, mid: noticeMid };

  it('adds the person, with a notice', () => {
    given(group, created)
      .when((state) => groupMembers.joinGroup(state, joining))
      .gives({
        type: 'MemberJoined',
        data: { gid: gid(50), uid: stranger, noticeMid },
      });
  });

  it('changes nothing for a member', () => {
    given(group, created)
      .when((state) => groupMembers.joinGroup(state, { ...joining, uid: member }))
      .givesNothing();
  });

  it('is refused without a group, or after it was dissolved', () => {
    given(group)
      .when((state) => groupMembers.joinGroup(state, joining))
      .refuses('noGroup');
    given(group, created, dissolved)
      .when((state) => groupMembers.joinGroup(state, joining))
      .refuses('noGroup');
  });
});

describe('removing members', () => {
  it('is for the owner only', () => {
    given(group, created)
      .when((state) =>
        groupMembers.removeMembers(state, { by: owner, members: [member, other, member, stranger] }),
      )
      .gives({
        type: 'MembersRemoved',
        data: { gid: gid(50), by: owner, members: [member, other], faces: [owner, manager] },
      });
    for (const by of [manager, member, stranger]) {
      given(group, created, appointed)
        .when((state) => groupMembers.removeMembers(state, { by, members: [other] }))
        .refuses('illegal');
    }
  });

  it('changes nothing if no person named is a member', () => {
    given(group, created)
      .when((state) => groupMembers.removeMembers(state, { by: owner, members: [stranger] }))
      .givesNothing();
  });

  it('of the owner is refused, and then removes nobody', () => {
    given(group, created)
      .when((state) => groupMembers.removeMembers(state, { by: owner, members: [member, owner] }))
      .refuses('illegal');
  });
});

describe('leaving a group', () => {
  it('is open to every member but the owner', () => {
    given(group, created)
      .when((state) => groupMembers.leaveGroup(state, { uid: member }))
      .gives({ type: 'MemberLeft', data: { gid: gid(50), uid: member, faces: [owner, manager, other] } });
    given(group, created)
      .when((state) => groupMembers.leaveGroup(state, { uid: owner }))
      .refuses('illegal');
  });

  it('is open to an owner after transferring the group', () => {
    given(group, created, { type: 'GroupTransferred', data: { gid: gid(50), from: owner, to: member } })
      .when((state) => groupMembers.leaveGroup(state, { uid: owner }))
      .gives({ type: 'MemberLeft', data: { gid: gid(50), uid: owner, faces: [manager, member, other] } });
  });
});
