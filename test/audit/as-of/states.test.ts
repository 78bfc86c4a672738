import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { defaultSettings } from '../../../contracts/settings.ts';
import { friendshipsOf, friendsThen } from '../../../services/audit/as-of/friends.ts';
import { groupThen, personThen, settingsThen } from '../../../services/audit/as-of/states.ts';
import { momentAt } from '../../../services/audit/moment.ts';
import { type RunningApplication, startApplication } from '../../support/application.ts';
import { call, three } from '../../support/client.ts';
import { gid, uid } from '../../support/events.ts';

let now = 1_700_000_000_000;
let running: RunningApplication;

beforeAll(async () => {
  running = await startApplication({ now: () => now });
});

afterAll(() => running.stop());

/** The present moment; what follows happens later. */
function moment() {
  const present = momentAt(now, now);
  now += 1_000;
  return present;
}

test('a group is reported as it was at each moment: members, roles, mutes that hold, its end', async () => {
  const { log } = running.application;
  const [tom, jerry, spike] = await three(running);
  const before = moment();
  const { data } = await tom.post('/group/create', { members: [jerry.uid], groupname: '猫' });
  const id = gid(z.object({ gid: z.coerce.number() }).parse(data).gid);
  const created = moment();
  await tom.post('/group/manager', { gid: id, uid: jerry.uid, value: 1 });
  await spike.post('/group/join', { gid: id });
  await tom.post('/group/forbiddenuser', { gid: id, uid: spike.uid, time: 60 });
  await jerry.post('/group/remark', { gid: id, remark: '我们' });
  const muted = moment();
  now += 60_000;
  const later = moment();
  await tom.post('/group/delete', { gid: id });
  const dissolved = moment();

  await expect(groupThen(log, id, before)).rejects.toThrow(`there was no group ${id} on 2023-`);
  const owner = { uid: tom.uid, role: 'owner', muted_until: 0, remark: '' };
  const member = { role: 'member', muted_until: 0, remark: '' };
  expect(await groupThen(log, id, created)).toEqual({
    ...{ gid: id, state: 'normal', name: '猫', avatar: null, owner: tom.uid, founder: tom.uid },
    ...{ muted: false, members: [owner, { uid: jerry.uid, ...member }], invited: [] },
  });
  const manager = { uid: jerry.uid, role: 'manager', muted_until: 0, remark: '我们' };
  const until = Math.floor(muted.time / 1000) + 60;
  expect((await groupThen(log, id, muted)).members).toEqual([
    owner,
    manager,
    { uid: spike.uid, ...member, muted_until: until },
  ]);
  expect((await groupThen(log, id, later)).members.at(-1)).toEqual({ uid: spike.uid, ...member });
  expect((await groupThen(log, id, dissolved)).state).toBe('dissolved');
});

test('a person, their friends and the settings are reported as they were at each moment', async () => {
  const { log } = running.application;
  const [tom, jerry, spike] = await three(running);
  const me = uid(tom.uid);
  const friends = async (then: ReturnType<typeof moment>) =>
    friendsThen(log, me, await friendshipsOf(log, undefined, me, then), then);
  const before = moment();
  await tom.post('/friend/add', { friend_uid: jerry.uid });
  await spike.post('/friend/add', { friend_uid: tom.uid });
  await tom.post('/friend/remark', { friend_uid: spike.uid, remark: '狗' });
  await tom.post('/user/update', { nickname: '汤姆', is_member: 1 });
  const between = moment();
  await jerry.post('/friend/delete', { friend_uid: tom.uid });
  await tom.post('/user/update', { account_state: 'disabled' });
  await call(running, 'POST', '/setting/update', { revoke_seconds: 300 });
  const after = moment();

  expect(await friends(before)).toEqual([]);
  const both = [
    { uid: jerry.uid, remark: '' },
    { uid: spike.uid, remark: '狗' },
  ];
  expect(await friends(between)).toEqual(both.sort((one, other) => one.uid - other.uid));
  expect(await friends(after)).toEqual([{ uid: spike.uid, remark: '狗' }]);
  const tomThen = { uid: tom.uid, nickname: 'tom', avatar: '', sign: '', phone: null, parent: null };
  expect(await personThen(log, me, before)).toEqual({ ...tomThen, account_state: 'normal', is_member: 0 });
  expect(await personThen(log, me, after)).toEqual({
    ...{ ...tomThen, nickname: '汤姆' },
    ...{ account_state: 'disabled', is_member: 1 },
  });
  expect(await settingsThen(log, between)).toEqual(defaultSettings);
  expect(await settingsThen(log, after)).toEqual({ ...defaultSettings, revoke_seconds: 300 });
  const earlier = momentAt(before.time - 1_000_000, now);
  await expect(personThen(log, me, earlier)).rejects.toThrow(`there was no person ${me} on 2023-`);
  await expect(friendsThen(log, me, [], earlier)).rejects.toThrow(`there was no person ${me} on 2023-`);
});
