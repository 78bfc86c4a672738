import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { AnnouncementId } from '../../contracts/ids.ts';
import { defaultSettings } from '../../contracts/settings.ts';
import { type Aggregate, fold } from '../../services/domain/aggregate.ts';
import { allowance } from '../../services/domain/allowance.ts';
import { announcement } from '../../services/domain/announcement.ts';
import { friendship } from '../../services/domain/friendship.ts';
import { group } from '../../services/domain/group.ts';
import { reply } from '../../services/domain/reply.ts';
import { setting } from '../../services/domain/setting.ts';
import { user } from '../../services/domain/user.ts';
import { applicationId, created, gid, mid, registered, uid } from '../support/events.ts';

/*
 * Snapshots hold what the fold of one version made. A change of what a fold makes of these events raises
 * the version of its aggregate, and writes here what that version makes of them.
 */

const noticeMid = mid(7);
const of = gid(50);

/** The state with its maps and sets as entries. */
function folded<State, Event extends DomainEvent>(
  aggregate: Aggregate<State, Event>,
  ...events: readonly NoInfer<Event>[]
) {
  const state = JSON.stringify(fold(aggregate, events, 100), (_, value) =>
    value instanceof Map || value instanceof Set ? [...value] : value,
  );
  return { version: aggregate.version, state: JSON.parse(state) };
}

test('the fold of a group is that of its version', () => {
  const creation = created(50, '群', 1, 2, 3);
  if (creation.type !== 'GroupCreated') throw new Error('what is created');
  expect(
    folded(
      group,
      creation,
      { type: 'ManagerAppointed', data: { gid: of, uid: uid(2) } },
      { type: 'GroupRemarked', data: { gid: of, uid: uid(2), remark: 'r' } },
      { type: 'MemberMuted', data: { gid: of, by: uid(1), uid: uid(3), until: 200, noticeMid } },
      { type: 'MemberLeft', data: { gid: of, uid: uid(3), faces: [uid(1), uid(2)] } },
      { type: 'MembersInvited', data: { gid: of, by: uid(1), invitations: [invitation(4), invitation(5)] } },
      { type: 'InvitationAnswered', data: { gid: of, ...invitation(5), answer: 'refuse' } },
      { type: 'CodesRevoked', data: { gid: of, by: uid(1) } },
      { type: 'GroupMuted', data: { gid: of, by: uid(1), noticeMid } },
      { type: 'GroupTransferred', data: { gid: of, from: uid(1), to: uid(2) } },
    ),
  ).toEqual({
    version: 1,
    state: {
      ...{ gid: 50, founder: 1, owner: 2, name: '群', avatar: null, dissolved: false, muted: true },
      members: [
        [1, { manager: false, remark: '' }],
        [2, { manager: false, remark: 'r' }],
      ],
      mutes: [[3, 200]],
      invitations: [[4, { by: 1, applicationId: 104 }]],
      revokedCodes: 1,
    },
  });
});

function invitation(who: number) {
  return { uid: uid(who), applicationId: applicationId(100 + who) };
}

test('the fold of a friendship is that of its version', () => {
  const [from, to] = [uid(1), uid(2)];
  expect(
    folded(
      friendship,
      { type: 'FriendApplied', data: { applicationId: applicationId(1), from, to, postscript: 'p' } },
      { type: 'FriendRefused', data: { applicationId: applicationId(1), from, to } },
      { type: 'Befriended', data: { by: from, friend: to } },
      { type: 'FriendRemarked', data: { by: from, friend: to, remark: 'r' } },
      { type: 'Unfriended', data: { by: to, friend: from } },
      {
        type: 'FriendApplied',
        data: { applicationId: applicationId(2), from: to, to: from, postscript: 'q' },
      },
    ),
  ).toEqual({
    version: 1,
    state: {
      ...{ friends: false, everFriends: true, remarks: [], open: { id: 2, postscript: 'q' } },
      applications: [
        [1, { from: 1, to: 2, outcome: 'refused' }],
        [2, { from: 2, to: 1, outcome: 'open' }],
      ],
    },
  });
});

test('the folds of a person, their replies and their allowances are those of their versions', () => {
  const person = registered(1, '甲');
  if (person.type !== 'UserRegistered') throw new Error('who is registered');
  expect(folded(user, person, { type: 'AccountDisabled', data: { uid: uid(1) } })).toEqual({
    version: 2,
    state: {
      ...{ uid: 1, nickname: '甲', avatar: '', sign: '', disabled: true, isMember: false, parent: null },
      ...{ phone: null, deletion: null },
    },
  });
  expect(folded(reply)).toEqual({ version: 1, state: [] });
  const used = { uid: uid(1), allowance: 'groups created', count: 1 };
  expect(
    folded(allowance, { type: 'AllowanceUsed', data: used }, { type: 'AllowanceUsed', data: used }),
  ).toEqual({ version: 1, state: [['groups created', [{ time: 100, count: 2 }]]] });
});

test('the fold of the announcements is that of its version', () => {
  const id = AnnouncementId.parse(1);
  const sent = { type: 'AnnouncementSent', data: { id, content: 'x', uniqueId: 'once' } } as const;
  expect(folded(announcement, sent, { type: 'AnnouncementRevoked', data: { id } })).toEqual({
    version: 1,
    state: {
      ...{ last: 1, revoked: [1], times: [100] },
      sent: [['once', { id: 1, contentHash: createHash('sha256').update('x').digest('hex') }]],
    },
  });
});

test('the fold of the settings is that of its version, which changes with the defaults', () => {
  const changes = { private_chat: 'off', unknown: 'x' };
  expect(folded(setting, { type: 'SettingsChanged', data: { changes } })).toEqual({
    version: expect.any(Number),
    state: { ...defaultSettings, private_chat: 'off' },
  });
});

test('the allowance of an hour holds an entry a second at most, and nothing that is older', () => {
  let state = allowance.initial();
  const event = { type: 'AllowanceUsed', data: { uid: uid(1), allowance: 'x', count: 1 } } as const;
  for (let second = 0; second < 10_000; second++) {
    for (let again = 0; again < 2; again++) state = allowance.evolve(state, event, second);
  }
  expect(state.get('x')).toHaveLength(3_600);
});
