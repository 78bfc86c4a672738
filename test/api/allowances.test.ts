import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defaultSettings } from '../../contracts/settings.ts';
import { createServer } from '../../services/api/server.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import {
  call,
  client,
  createGroup,
  done,
  inTurn,
  type Person,
  person,
  refusedWith,
  three,
  two,
} from '../support/client.ts';

let running: RunningApplication;
let now = Date.now();
beforeAll(async () => {
  running = await startApplication({ now: () => now });
});
afterAll(() => running.stop());

const set = (changes: Record<string, unknown>) => call(running, 'POST', '/setting/update', changes);
const later = (seconds: number) => {
  now += seconds * 1000;
};

describe('new nicknames and avatars', () => {
  test('are 30 an hour, then refused with the time to wait; a new sign, and what the server sets, is free', async () => {
    const tom = await client(running, 'tom');
    const rename = (index: number) => tom.post('/user/update', { nickname: `tom ${index}` });
    const paint = (index: number) => tom.post('/user/update', { avatar: `/upload/avatars/${index}.png` });
    expect(await inTurn(29, rename)).toEqual(Array(29).fill(done));
    expect(await paint(1)).toEqual(done);
    const refused = refusedWith(429, '修改昵称或头像过于频繁,请在60分钟后再试');
    expect(await paint(2)).toMatchObject(refused);
    expect(await rename(30)).toMatchObject(refused);
    expect(await tom.post('/user/update', { sign: 'busy' })).toEqual(done);
    const byServer = { login_uid: tom.uid, nickname: 'set by the server' };
    expect(await call(running, 'POST', '/user/update', byServer)).toEqual(done);
    later(3_600);
    expect(await rename(31)).toEqual(done);
  });
});

test('a nickname and an avatar that stay the same use no allowance', async () => {
  const tom = await client(running, 'tom');
  const profile = { nickname: 'tom', avatar: '/upload/avatars/1.png' };
  const save = () => tom.post('/user/update', { ...profile, sign: 'busy' });
  expect(await inTurn(31, save)).toEqual(Array(31).fill(done));
  expect(await tom.post('/user/update', { nickname: 'thomas' })).toEqual(done);
});

describe('friend applications', () => {
  test('are up to 50 an hour for each person, answered or not; the next is refused with the time to wait', async () => {
    const [tom, jerry] = await two(running);
    const Applications = z.array(z.object({ nid: z.int() }));
    const round = async () => {
      const applied = await tom.post('/friend/apply', { friend_uid: jerry.uid });
      if (applied.code !== 0) return applied;
      const [latest] = Applications.parse((await jerry.get('/friend/applylist')).data);
      expect(await jerry.post('/friend/refuse', { nid: latest?.nid })).toEqual(done);
      return applied;
    };
    expect(await inTurn(50, round)).toEqual(Array(50).fill(done));
    const spike = await person(running, 'spike');
    const refused = await tom.post('/friend/apply', { friend_uid: spike.uid });
    expect(refused).toMatchObject(refusedWith(429, '好友申请过于频繁,请在60分钟后再试'));
    later(3_500);
    expect(await round()).toMatchObject(refusedWith(429, '好友申请过于频繁,请在100秒后再试'));
    // Others are free, and agreeing to the other's application is no application.
    expect(await spike.post('/friend/apply', { friend_uid: tom.uid })).toEqual(done);
    expect(await tom.post('/friend/apply', { friend_uid: spike.uid })).toEqual(done);
    expect(await tom.post('/friend/apply', { friend_uid: spike.uid })).toEqual(done);
    later(100);
    expect(await round()).toEqual(done);
  });

  test('are counted over processes and restarts, from the log', async () => {
    const [tom, jerry] = await two(running);
    const another = await createServer(await running.another());
    const apply = async (index: number) =>
      call(index % 2 ? running : { ...running, server: another }, 'POST', '/friend/apply', {
        ...{ login_uid: tom.uid, friend_uid: jerry.uid, postscript: `${index}` },
      });
    const answers = await inTurn(52, apply);
    expect(answers.filter(({ code }) => code === 0)).toHaveLength(50);
    expect(answers.slice(50).map(({ code }) => code)).toEqual([429, 429]);
    await another.close();
  });
});

describe('groups', () => {
  afterEach(() =>
    set({
      limit_group_creations: defaultSettings.limit_group_creations,
      limit_member_additions: defaultSettings.limit_member_additions,
      limit_groups: defaultSettings.limit_groups,
    }),
  );

  test('are created as often in an hour as the setting says', async () => {
    await set({ limit_group_creations: 2 });
    const tom = await client(running, 'tom');
    const create = () => tom.post('/group/create', {});
    expect((await inTurn(2, create)).map(({ code }) => code)).toEqual([0, 0]);
    expect(await create()).toMatchObject(refusedWith(429, '创建群组过于频繁,请在60分钟后再试'));
    later(3_600);
    expect(await create()).toMatchObject({ code: 0 });
  });

  test('get as many members from one person in an hour as the setting says, over all their groups', async () => {
    await set({ limit_member_additions: 3 });
    const tom = await client(running, 'tom');
    const [jerry, spike] = await two(running);
    const [one, other] = [await createGroup(tom, jerry), await createGroup(tom)];
    const add = (gid: number, ...members: Person[]) =>
      tom.post('/group/memberadd', { gid, members: members.map(({ uid }) => uid) });
    expect(await add(one, jerry, spike)).toEqual(done);
    expect(await add(other, jerry, spike)).toMatchObject({ code: 429 });
    expect(await add(other, jerry)).toEqual(done);
    expect(await add(other, spike)).toMatchObject(refusedWith(429, '邀请群成员过于频繁,请在60分钟后再试'));
    // Who is in already is not added.
    expect(await add(other, jerry)).toEqual(done);
    expect(await tom.post('/group/create', { members: [jerry.uid] })).toMatchObject({ code: 429 });
    // What the server's key does for a person is not counted.
    const imported = { login_uid: tom.uid, gid: other, members: [spike.uid] };
    expect(await call(running, 'POST', '/group/memberadd', imported)).toEqual(done);
  });

  test('that a person is in are as many as the setting says, however they come in', async () => {
    const [tom, jerry, spike] = await three(running);
    const gids = await inTurn(3, () => createGroup(tom));
    await set({ limit_groups: 2 });
    for (const gid of gids.slice(0, 2)) {
      expect(await jerry.post('/group/join', { gid })).toEqual(done);
    }
    const gid = gids[2];
    const full = refusedWith(429, `用户${jerry.uid}加入的群组已达上限2个`);
    expect(await jerry.post('/group/join', { gid })).toMatchObject(full);
    expect(await tom.post('/group/memberadd', { gid, members: [spike.uid, jerry.uid] })).toMatchObject(full);
    expect(await spike.post('/group/create', { members: [jerry.uid] })).toMatchObject(full);
    expect(await jerry.post('/group/create', {})).toMatchObject(full);
    // Nothing was half done, and who is in already is not refused.
    expect(await spike.get('/group/detail', { gid })).toMatchObject({ code: 2 });
    expect(await jerry.post('/group/join', { gid: gids[0] })).toEqual(done);
    expect(await tom.post('/group/delete', { gid: gids[0] })).toEqual(done);
    expect(await jerry.post('/group/join', { gid })).toEqual(done);
  });

  test('are left several at a time, all or none', async () => {
    const [tom, jerry] = await two(running);
    const gids = await inTurn(3, () => createGroup(tom, jerry));
    const own = await createGroup(jerry);
    const groups = async () => {
      const home = await jerry.get('/pop/get');
      return z.object({ group: z.array(z.object({ gid: z.int() })) }).parse(home.data).group.length;
    };
    expect(await jerry.post('/group/leave', { gid: [...gids, own] })).toMatchObject({ code: 2 });
    expect(await groups()).toBe(4);
    expect(await jerry.post('/group/leave', { gid: [...gids, 111_111_111, gids[0]] })).toEqual(done);
    expect(await groups()).toBe(1);
    expect(await jerry.post('/group/leave', { gid: gids[0] })).toEqual(done);
    const many = Array.from({ length: 101 }, (_, index) => index + 1);
    expect(await jerry.post('/group/leave', { gid: many })).toMatchObject({
      ...refusedWith(2, '参数gid不合法'),
    });
    expect(await jerry.post('/group/leave')).toMatchObject(refusedWith(1, '缺少参数gid'));
  });
});
