import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defaultSettings } from '../../contracts/settings.ts';
import { createServer } from '../../services/api/server.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { befriend, call, client, done, type Person, person, three, two } from '../support/client.ts';

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
const times = async <Result>(count: number, work: (index: number) => Promise<Result>) => {
  const results: Result[] = [];
  for (let index = 0; index < count; index++) results.push(await work(index));
  return results;
};
const Group = z.object({ gid: z.string() });
const groupOf = async (owner: Person, ...members: Person[]) => {
  const answer = await owner.post('/group/create', { members: members.map(({ uid }) => uid) });
  return Number(Group.parse(answer.data).gid);
};

describe('new nicknames and avatars', () => {
  test('are 30 an hour, then refused with the time to wait; a new sign, and what the server sets, is free', async () => {
    const tom = await client(running, 'tom');
    const rename = (index: number) => tom.post('/user/update', { nickname: `tom ${index}` });
    const paint = (index: number) => tom.post('/user/update', { avatar: `/upload/avatars/${index}.png` });
    expect(await times(29, rename)).toEqual(Array(29).fill(done));
    expect(await paint(1)).toEqual(done);
    const refused = { code: 429, msg: '修改昵称或头像过于频繁,请在60分钟后再试' };
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
  expect(await times(31, save)).toEqual(Array(31).fill(done));
  expect(await tom.post('/user/update', { nickname: 'thomas' })).toEqual(done);
});

describe('friend applications', () => {
  test('are 50 a person and hour, whatever became of them, and told as too many with the time to wait', async () => {
    const [tom, jerry] = await two(running);
    const Applications = z.array(z.object({ nid: z.int() }));
    const round = async () => {
      const applied = await tom.post('/friend/apply', { friend_uid: jerry.uid });
      if (applied.code !== 0) return applied;
      const [latest] = Applications.parse((await jerry.get('/friend/applylist')).data);
      expect(await jerry.post('/friend/refuse', { nid: latest?.nid })).toEqual(done);
      return applied;
    };
    expect(await times(50, round)).toEqual(Array(50).fill(done));
    const spike = await person(running, 'spike');
    const refused = await tom.post('/friend/apply', { friend_uid: spike.uid });
    expect(refused).toMatchObject({ code: 429, msg: '好友申请过于频繁,请在60分钟后再试' });
    later(3_500);
    expect(await round()).toMatchObject({ code: 429, msg: '好友申请过于频繁,请在100秒后再试' });
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
    const answers = await times(52, apply);
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
    expect((await times(2, create)).map(({ code }) => code)).toEqual([0, 0]);
    expect(await create()).toMatchObject({ code: 429, msg: '创建群组过于频繁,请在60分钟后再试' });
    later(3_600);
    expect(await create()).toMatchObject({ code: 0 });
  });

  test('get as many members from one person in an hour as the setting says, over all their groups', async () => {
    await set({ limit_member_additions: 3 });
    const tom = await client(running, 'tom');
    const [jerry, spike] = await two(running);
    const [one, other] = [await groupOf(tom, jerry), await groupOf(tom)];
    const add = (gid: number, ...members: Person[]) =>
      tom.post('/group/memberadd', { gid, members: members.map(({ uid }) => uid) });
    expect(await add(one, jerry, spike)).toEqual(done);
    expect(await add(other, jerry, spike)).toMatchObject({ code: 429 });
    expect(await add(other, jerry)).toEqual(done);
    expect(await add(other, spike)).toMatchObject({ code: 429, msg: '邀请群成员过于频繁,请在60分钟后再试' });
    // Who is in already is not added.
    expect(await add(other, jerry)).toEqual(done);
    expect(await tom.post('/group/create', { members: [jerry.uid] })).toMatchObject({ code: 429 });
    // What the server's key does for a person is not counted.
    const imported = { login_uid: tom.uid, gid: other, members: [spike.uid] };
    expect(await call(running, 'POST', '/group/memberadd', imported)).toEqual(done);
  });

  test('that a person is in are as many as the setting says, however they come in', async () => {
    const [tom, jerry, spike] = await three(running);
    const gids = await times(3, () => groupOf(tom));
    await set({ limit_groups: 2 });
    for (const gid of gids.slice(0, 2)) {
      expect(await jerry.post('/group/join', { gid })).toEqual(done);
    }
    const gid = gids[2];
    const full = { code: 429, msg: `用户${jerry.uid}加入的群组已达上限2个` };
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
    const gids = await times(3, () => groupOf(tom, jerry));
    const own = await groupOf(jerry);
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
      ...{ code: 2, msg: '参数gid不合法' },
    });
    expect(await jerry.post('/group/leave')).toMatchObject({ code: 1, msg: '缺少参数gid' });
  });
});

describe('who is asked before they are in a group', () => {
  const Applications = z.array(
    z.object({ nid: z.int(), type: z.string(), data: z.string(), from: z.int(), operation: z.string() }),
  );
  const received = async (who: Person) => Applications.parse((await who.get('/friend/applylist')).data);
  const isIn = async (who: Person, gid: number) => (await who.get('/group/detail', { gid })).code === 0;
  beforeAll(() => set({ group_consent: 'on' }));
  afterAll(() => set({ group_consent: 'off' }));

  test('is each who is no friend of the one who adds them', async () => {
    const [tom, jerry, spike] = await three(running);
    await befriend(tom, jerry);
    const gid = await groupOf(tom, jerry, spike);
    expect([await isIn(jerry, gid), await isIn(spike, gid)]).toEqual([true, false]);
    const [invitation, ...others] = await received(spike);
    expect(others).toEqual([]);
    expect(invitation).toMatchObject({ type: 'join_group', from: tom.uid, operation: 'not_operated' });
    expect(JSON.parse(invitation?.data ?? '')).toMatchObject({ postscript: '', gid });
    expect((await spike.get('/friend/applycount')).data).toBe(1);
    // Asked once, whoever asks again.
    expect(await jerry.post('/group/memberadd', { gid, members: [spike.uid] })).toEqual(done);
    expect(await received(spike)).toHaveLength(1);
    const nid = invitation?.nid;
    expect(await jerry.post('/friend/agree', { nid })).toMatchObject({ code: 3 });
    expect(await spike.post('/friend/agree', { nid })).toEqual(done);
    expect(await isIn(spike, gid)).toBe(true);
    expect(await received(spike)).toMatchObject([{ operation: 'agree' }]);
    expect(await spike.post('/friend/agree', { nid })).toEqual(done);
    expect(await spike.post('/friend/refuse', { nid })).toMatchObject({ code: 210 });
    // They are no friends by it.
    expect(await spike.get('/user/get', { uid: tom.uid })).toMatchObject({ data: { is_friend: false } });
  });

  test('may refuse, and be asked anew', async () => {
    const [tom, jerry] = await two(running);
    const gid = await groupOf(tom, jerry);
    const [first] = await received(jerry);
    expect(await jerry.post('/friend/refuse', { nid: first?.nid })).toEqual(done);
    expect(await jerry.post('/friend/refuse', { nid: first?.nid })).toEqual(done);
    expect(await jerry.post('/friend/agree', { nid: first?.nid })).toMatchObject({ code: 210 });
    expect(await isIn(jerry, gid)).toBe(false);
    expect(await tom.post('/group/memberadd', { gid, members: [jerry.uid] })).toEqual(done);
    const operations = (await received(jerry)).map(({ operation }) => operation);
    expect(operations.toSorted()).toEqual(['not_operated', 'refuse']);
  });

  test('cannot be brought in by one who is no member any more, but is asked anew by another', async () => {
    const [tom, jerry, spike] = await three(running);
    await befriend(tom, jerry);
    const gid = await groupOf(tom, jerry);
    expect(await jerry.post('/group/memberadd', { gid, members: [spike.uid] })).toEqual(done);
    const [invitation] = await received(spike);
    expect(invitation).toMatchObject({ from: jerry.uid });
    const nid = invitation?.nid;
    expect(await tom.post('/group/memberdel', { gid, members: [jerry.uid] })).toEqual(done);
    expect(await spike.post('/friend/agree', { nid })).toEqual({
      ...{ code: 3, msg: '邀请人已不在该群,邀请已失效' },
    });
    expect(await isIn(spike, gid)).toBe(false);
    expect(await tom.post('/group/memberadd', { gid, members: [spike.uid] })).toEqual(done);
    const [anew, ended] = await received(spike);
    expect(anew).toMatchObject({ from: tom.uid, operation: 'not_operated' });
    expect(ended).toMatchObject({ nid, from: jerry.uid, operation: 'refuse' });
    expect(await spike.post('/friend/agree', { nid: anew?.nid })).toEqual(done);
    expect(await isIn(spike, gid)).toBe(true);
  });

  test('is answered by joining another way, and by nothing once the group is dissolved', async () => {
    const [tom, jerry, spike] = await three(running);
    const gid = await groupOf(tom, jerry, spike);
    expect(await jerry.post('/group/join', { gid })).toEqual(done);
    expect(await received(jerry)).toMatchObject([{ operation: 'agree' }]);
    expect(await tom.post('/group/delete', { gid })).toEqual(done);
    const [invitation] = await received(spike);
    expect(await spike.post('/friend/agree', { nid: invitation?.nid })).toMatchObject({ code: 701 });
    expect(await spike.post('/friend/refuse', { nid: invitation?.nid })).toEqual(done);
  });
});

describe('a group that one is not in', () => {
  test('is answered as one that there is not, by every call', async () => {
    const [tom, jerry] = await two(running);
    const gid = await groupOf(tom);
    const none = 111_111_111;
    const calls: readonly (readonly ['get' | 'post', string, Record<string, unknown>])[] = [
      ['get', '/group/detail', {}],
      ['get', '/group/members', {}],
      ['post', '/group/ismanager', { uid: tom.uid }],
      ['post', '/group/delete', {}],
      ['post', '/group/memberadd', { members: [jerry.uid] }],
      ['post', '/group/memberdel', { members: [tom.uid] }],
      ['post', '/group/remark', { remark: 'x' }],
      ['post', '/group/manager', { uid: jerry.uid, value: 1 }],
      ['post', '/group/leave', {}],
      ['post', '/group/memberupdate', { top: 1 }],
      ['post', '/group/transfer', { uid: jerry.uid }],
      ['post', '/group/update', { groupname: 'x' }],
      ['get', '/group/qrcode', {}],
      ['post', '/group/qrcode_revoke', {}],
      ['post', '/group/forbiddenall', { value: 1 }],
      ['post', '/group/forbiddenuser', { uid: tom.uid, time: 0 }],
      ['post', '/message/send', { type: 'group', to: 'gid', content: 'x' }],
      ['post', '/pop/delchat', { type: 'group', id: 'gid' }],
    ];
    for (const [method, path, parameters] of calls) {
      const ask = (one: number) => {
        const filled = Object.entries(parameters).map(([name, value]) => [
          name,
          value === 'gid' ? one : value,
        ]);
        return jerry[method](path, { gid: one, ...Object.fromEntries(filled) });
      };
      const answer = await ask(gid);
      expect(await ask(none), path).toEqual(answer);
      later(60);
    }
    expect(await jerry.get('/group/detail', { gid })).toMatchObject({
      ...{ code: 2, msg: '群组不存在,或你不是该群成员' },
    });
  });

  test('is asked for 20 times a minute', async () => {
    const jerry = await person(running, 'jerry');
    const guess = (index: number) => jerry.get('/group/detail', { gid: 111_111_111 + index });
    expect((await times(20, guess)).map(({ code }) => code)).toEqual(Array(20).fill(2));
    expect(await guess(20)).toMatchObject({ code: 429, msg: '查询群组过于频繁,请在60秒后再试' });
    const own = await groupOf(jerry);
    expect(await jerry.get('/group/detail', { gid: own })).toMatchObject({ code: 0 });
    later(60);
    expect(await guess(20)).toMatchObject({ code: 2 });
  });

  test('is told to be dissolved to who was in it then', async () => {
    const [tom, jerry] = await two(running);
    const gid = await groupOf(tom, jerry);
    expect(await tom.post('/group/delete', { gid })).toEqual(done);
    expect(await jerry.get('/group/detail', { gid })).toMatchObject({ code: 701 });
    expect(await (await person(running, 'spike')).get('/group/detail', { gid })).toMatchObject({ code: 2 });
  });
});

describe('joining a group', () => {
  const Code = z.object({ token: z.string() });
  const codeOf = async (member: Person, gid: number) =>
    Code.parse((await member.get('/group/qrcode', { gid })).data).token;

  test('is tried 20 times a minute by one person, whether the groups exist or not', async () => {
    const [tom, jerry, spike] = await three(running);
    const gid = await groupOf(tom);
    expect(
      (await times(19, (index) => jerry.post('/group/join', { gid: index + 1 }))).map(({ code }) => code),
    ).toEqual(Array(19).fill(701));
    expect(await jerry.post('/group/join', { gid })).toEqual(done);
    expect(await jerry.post('/group/join', { gid })).toMatchObject({
      ...{ code: 429, msg: '加入群组过于频繁,请在60秒后再试' },
    });
    expect(await spike.post('/group/join', { gid })).toEqual(done);
    later(60);
    expect(await jerry.post('/group/join', { gid })).toEqual(done);
  });

  test('needs the token of the QR code where a gid is not enough, until the token is revoked', async () => {
    const [tom, jerry, spike] = await three(running);
    const [gid, other] = [await groupOf(tom), await groupOf(tom)];
    await set({ join_by_gid: 'off' });
    const closed = { code: 2, msg: '群二维码无效或已失效' };
    const token = await codeOf(tom, gid);
    const wrong = await codeOf(tom, other);
    for (const given of [{}, { token: 'x' }, { token: wrong }]) {
      expect(await jerry.post('/group/join', { gid, ...given })).toMatchObject(closed);
      // As where there is no such group.
      expect(await jerry.post('/group/join', { gid: 111_111_111, ...given })).toMatchObject(closed);
    }
    expect(await jerry.post('/group/join', { gid, token })).toEqual(done);
    // A member may show the code, but not revoke it.
    expect(await codeOf(jerry, gid)).toBe(token);
    expect(await jerry.post('/group/qrcode_revoke', { gid })).toMatchObject({ code: 2 });
    expect(await tom.post('/group/qrcode_revoke', { gid })).toEqual(done);
    expect(await spike.post('/group/join', { gid, token })).toMatchObject(closed);
    expect(await spike.post('/group/join', { gid, token: await codeOf(tom, gid) })).toEqual(done);
    await set({ join_by_gid: 'on' });
    expect(await spike.post('/group/join', { gid: other })).toEqual(done);
  });
});
