import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningApplication, startApplication } from '../support/application.ts';
import {
  call,
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

describe('a group that one is not in', () => {
  test('gets the answer of a group that does not exist, from every call', async () => {
    const [tom, jerry] = await two(running);
    const gid = await createGroup(tom);
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
      ...refusedWith(2, '群组不存在,或你不是该群成员'),
    });
  });

  test('is asked for 20 times a minute', async () => {
    const jerry = await person(running, 'jerry');
    const guess = (index: number) => jerry.get('/group/detail', { gid: 111_111_111 + index });
    expect((await inTurn(20, guess)).map(({ code }) => code)).toEqual(Array(20).fill(2));
    expect(await guess(20)).toMatchObject(refusedWith(429, '查询群组过于频繁,请在60秒后再试'));
    const own = await createGroup(jerry);
    expect(await jerry.get('/group/detail', { gid: own })).toMatchObject({ code: 0 });
    later(60);
    expect(await guess(20)).toMatchObject({ code: 2 });
  });

  test('is reported as dissolved to those who were members then', async () => {
    const [tom, jerry] = await two(running);
    const gid = await createGroup(tom, jerry);
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
    const gid = await createGroup(tom);
    expect(
      (await inTurn(19, (index) => jerry.post('/group/join', { gid: index + 1 }))).map(({ code }) => code),
    ).toEqual(Array(19).fill(701));
    expect(await jerry.post('/group/join', { gid })).toEqual(done);
    expect(await jerry.post('/group/join', { gid })).toMatchObject({
      ...refusedWith(429, '加入群组过于频繁,请在60秒后再试'),
    });
    expect(await spike.post('/group/join', { gid })).toEqual(done);
    later(60);
    expect(await jerry.post('/group/join', { gid })).toEqual(done);
  });

  test('needs the token of the QR code if a gid is not enough, until the token is revoked', async () => {
    const [tom, jerry, spike] = await three(running);
    const [gid, other] = [await createGroup(tom), await createGroup(tom)];
    await set({ join_by_gid: 'off' });
    const closed = refusedWith(2, '群二维码无效或已失效');
    const token = await codeOf(tom, gid);
    const wrong = await codeOf(tom, other);
    for (const given of [{}, { token: 'x' }, { token: wrong }]) {
      expect(await jerry.post('/group/join', { gid, ...given })).toMatchObject(closed);
      // The same as for a group that does not exist.
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
