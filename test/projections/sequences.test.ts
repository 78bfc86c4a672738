import { expect, onTestFinished, test } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import {
  applicationId,
  between,
  created,
  gid,
  inGroup,
  mid,
  readTo,
  registered,
  revoked,
  sent,
  uid,
} from '../support/events.ts';
import { newEventId, openWorld } from '../support/projecting.ts';

const group = gid(1);

const history: readonly DomainEvent[] = [
  registered(1, '甲'),
  registered(2, '乙'),
  registered(3, '丙'),
  {
    type: 'FriendApplied',
    data: { applicationId: applicationId(1), from: uid(1), to: uid(2), postscript: '' },
  },
  {
    type: 'FriendAgreed',
    data: { applicationId: applicationId(1), from: uid(1), to: uid(2), mid: mid(101), content: '你好' },
  },
  sent(between(1, 2), 1, 102, 'a'),
  revoked(between(1, 2), 1, 102, 2),
  sent(between(1, 2), 2, 103, 'b', { uniqueId: 'u' }),
  {
    type: 'MessageDeleted',
    data: { conversation: between(1, 2), by: uid(2), mid: mid(103), sequence: 3, scope: 'all' },
  },
  { type: 'Unfriended', data: { by: uid(1), friend: uid(2) } },
  sent(between(1, 2), 2, 104, 'c', { quoteMid: mid(101) }),
  readTo(1, between(1, 2), 104, 4),

  { type: 'GroupCreated', data: { ...created(1, '群', 1, 2).data, noticeMid: mid(201) } },
  sent(inGroup(1), 1, 202, 'd'),
  { type: 'MembersAdded', data: { gid: group, by: uid(1), members: [uid(3)], noticeMid: mid(203) } },
  { type: 'ManagerAppointed', data: { gid: group, uid: uid(2) } },
  { type: 'GroupUpdated', data: { gid: group, by: uid(1), name: '新群' } },
  {
    type: 'MemberMuted',
    data: { gid: group, by: uid(1), uid: uid(3), until: 2_000_000_000, noticeMid: mid(204) },
  },
  { type: 'MemberUnmuted', data: { gid: group, by: uid(1), uid: uid(3), noticeMid: mid(205) } },
  { type: 'GroupMuted', data: { gid: group, by: uid(1), noticeMid: mid(206) } },
  { type: 'GroupUnmuted', data: { gid: group, by: uid(1), noticeMid: mid(207) } },
  { type: 'MemberLeft', data: { gid: group, uid: uid(3), faces: [uid(1), uid(2)] } },
  { type: 'GroupRemarked', data: { gid: group, uid: uid(2), remark: '我的群' } },
  { type: 'MemberJoined', data: { gid: group, uid: uid(3), noticeMid: mid(208) } },
  { type: 'GroupTransferred', data: { gid: group, from: uid(1), to: uid(2) } },
  { type: 'MembersRemoved', data: { gid: group, by: uid(2), members: [uid(3)], faces: [uid(1), uid(2)] } },
  sent(inGroup(1), 2, 209, 'e'),
];

/** Never to be changed: MessageRevoked, MessageDeleted and ReadTo in the logs of the world name messages by these. */
const sequences = [
  ['f1-2', 1, 101],
  ['f1-2', 2, 102],
  ['f1-2', 3, 103],
  ['f1-2', 4, 104],
  ['g1', 1, 201],
  ['g1', 2, 202],
  ['g1', 3, 203],
  ['g1', 4, 204],
  ['g1', 5, 205],
  ['g1', 6, 206],
  ['g1', 7, 207],
  ['g1', 8, 208],
  ['g1', 9, 209],
];

test('every event that gets a sequence keeps the one that it has always had', async () => {
  const world = await openWorld();
  onTestFinished(() => world.close());
  for (const event of history) await world.append(event, { id: newEventId() });
  await world.project();
  const rows = await world.query<{ conversation: string; sequence: string; mid: string }>(
    'select conversation, sequence, mid from read.messages order by conversation, sequence',
  );
  const found = rows.map(({ conversation, sequence, mid: id }) => [
    conversation,
    Number(sequence),
    Number(id),
  ]);
  expect(found).toEqual(sequences);
  expect(
    await world.query(`select sequence, state from read.messages where state <> 'normal' order by sequence`),
  ).toEqual([
    { sequence: '2', state: 'revoked' },
    { sequence: '3', state: 'deleted' },
  ]);
});
