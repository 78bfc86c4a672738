import { describe, expect, test } from 'vitest';
import type { GroupEvent } from '../../contracts/events/group.ts';
import { ApplicationId } from '../../contracts/ids.ts';
import { fold } from '../../services/domain/aggregate.ts';
import { group } from '../../services/domain/group.ts';
import { departForGood } from '../../services/domain/group-departure.ts';
import { gid, mid, uid } from '../support/events.ts';

const created = (...members: number[]): GroupEvent => ({
  type: 'GroupCreated',
  data: {
    ...{ gid: gid(1), owner: uid(members[0] ?? 1), members: members.map(uid), name: '群', avatar: null },
    noticeMid: mid(1),
  },
});
const appointed = (id: number): GroupEvent => ({
  type: 'ManagerAppointed',
  data: { gid: gid(1), uid: uid(id) },
});
const departs = (id: number, ...events: GroupEvent[]) => departForGood(fold(group, events), { uid: uid(id) });

describe('a group whose owner’s account is deleted', () => {
  test('goes to the manager who is in it for longest', () => {
    expect(departs(1, created(1, 2, 3, 4), appointed(4), appointed(3))).toEqual([
      { type: 'GroupTransferred', data: { gid: 1, from: 1, to: 3 } },
      { type: 'MemberLeft', data: { gid: 1, uid: 1, faces: [2, 3, 4] } },
    ]);
  });

  test('goes to the member who is in it for longest if there is no manager', () => {
    expect(departs(1, created(1, 2, 3))[0]).toEqual({
      ...{ type: 'GroupTransferred', data: { gid: 1, from: 1, to: 2 } },
    });
  });

  test('is dissolved if nobody else is in it', () => {
    expect(departs(1, created(1))).toEqual([
      { type: 'MembersReleased', data: { gid: 1, members: [1] } },
      { type: 'GroupDissolved', data: { gid: 1, by: 1, released: true } },
    ]);
  });
});

test('a deleted account leaves the groups of others, and its invitation counts as refused', () => {
  const applicationId = ApplicationId.parse(7);
  const invited: GroupEvent = {
    type: 'MembersInvited',
    data: { gid: gid(1), by: uid(1), invitations: [{ uid: uid(5), applicationId }] },
  };
  expect(departs(2, created(1, 2), appointed(2))).toEqual([
    { type: 'MemberLeft', data: { gid: 1, uid: 2, faces: [1] } },
  ]);
  expect(departs(5, created(1, 2), invited)).toEqual([
    { type: 'InvitationAnswered', data: { gid: 1, uid: 5, applicationId, answer: 'refuse' } },
  ]);
  expect(departs(9, created(1, 2))).toEqual([]);
  expect(departs(9)).toEqual([]);
  const dissolved: GroupEvent = {
    type: 'GroupDissolved',
    data: { gid: gid(1), by: uid(1), released: true },
  };
  expect(departs(1, created(1, 2), dissolved)).toEqual([]);
});
