import { afterEach, beforeEach, expect, it } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { ReplyId } from '../../contracts/ids.ts';
import { applicationId, created, gid, mid, registered, uid } from '../support/events.ts';
import { openWorld, type World } from '../support/projecting.ts';

/* Ids of applications and replies that were given twice, as after a failover to a database that had lost the last ids. */

let world: World;

beforeEach(async () => {
  world = await openWorld();
  for (const id of [1, 2, 3, 4]) await world.given(registered(id, `人${id}`));
});

afterEach(() => world.close());

const id = applicationId(7);

const applied = (from: number, to: number): DomainEvent => ({
  type: 'FriendApplied',
  data: { applicationId: id, from: uid(from), to: uid(to), postscript: `${from} to ${to}` },
});

const applications = () =>
  world.query(
    `select applicant::int, recipient::int, postscript, operation, gid::int from read.applications
      order by applicant, recipient`,
  );

/** Whether read models that are made again are the same. */
async function expectSameAgain(): Promise<void> {
  const before = await world.everything();
  await world.forget();
  await world.project();
  expect(await world.everything()).toEqual(before);
}

it('an application to one person leaves that to another as it is, and each is answered by itself', async () => {
  await world.given(
    ...[applied(1, 2), applied(3, 4)],
    { type: 'FriendRefused', data: { applicationId: id, from: uid(1), to: uid(2) } },
    {
      type: 'FriendAgreed',
      data: { applicationId: id, from: uid(3), to: uid(4), mid: mid(1), content: '你好' },
    },
  );
  await world.project();
  expect(await applications()).toEqual([
    { applicant: 1, recipient: 2, postscript: '1 to 2', operation: 'refuse', gid: null },
    { applicant: 3, recipient: 4, postscript: '3 to 4', operation: 'agree', gid: null },
  ]);
  await expectSameAgain();
});

it('an invitation into a group leaves an application to the same person as it is, and the other way round', async () => {
  await world.given(
    ...[created(50, '群', 3), applied(1, 2)],
    {
      type: 'MembersInvited',
      data: { gid: gid(50), by: uid(3), invitations: [{ uid: uid(2), applicationId: id }] },
    },
    { type: 'InvitationAnswered', data: { gid: gid(50), uid: uid(2), applicationId: id, answer: 'refuse' } },
  );
  await world.project();
  expect(await applications()).toEqual([
    { applicant: 1, recipient: 2, postscript: '1 to 2', operation: 'not_operated', gid: null },
    { applicant: 3, recipient: 2, postscript: '', operation: 'refuse', gid: 50 },
  ]);
  await expectSameAgain();
});

it('a reply of one member leaves that of another as it is, when it is deleted too', async () => {
  const rid = ReplyId.parse(9);
  const added = (member: number): DomainEvent => ({
    type: 'ReplyAdded',
    data: {
      ...{ rid, uid: uid(member), type: 1, title: `of ${member}`, content: 'c', weights: 1 },
      isDefault: false,
    },
  });
  const titles = () => world.query('select uid::int, title from read.replies order by uid');
  await world.given(added(1), added(2));
  await world.project();
  expect(await titles()).toEqual([
    { uid: 1, title: 'of 1' },
    { uid: 2, title: 'of 2' },
  ]);
  await world.given({ type: 'ReplyDeleted', data: { rid, uid: uid(1) } });
  await world.project();
  expect(await titles()).toEqual([{ uid: 2, title: 'of 2' }]);
  await expectSameAgain();
});
