import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { apiPrefixes } from '../../contracts/http/contract.ts';
import { type RunningApplication, startApplication, testApp } from '../support/application.ts';
import { befriend, call, createGroup, done, refusedWith, two } from '../support/client.ts';
import { picture, uploaded } from '../support/uploading.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

const nobody = {};
let accounts = 0;

async function account() {
  const given = { username: `page${++accounts}`, nickname: '页面', password: 'secret-1' };
  await call(running, 'POST', '/user/add', given);
  return given;
}

describe('login/check', () => {
  test.each(apiPrefixes)('under %s logs in, gives the cookie, and a text for sso', async (prefix) => {
    const { username, password } = await account();
    const url = `${prefix}/login/check`;
    const answer = await running.server.inject({ method: 'POST', url, payload: { username, password } });
    expect(answer.json()).toMatchObject({
      code: 0,
      data: { username, token: expect.any(String), sso: '' },
    });
    const [cookie] = answer.cookies;
    expect(cookie).toMatchObject({ name: 'token', httpOnly: true, sameSite: 'Lax' });
    const mine = await running.server.inject({
      url: `${prefix}/user/getuserinfo`,
      headers: { cookie: `token=${cookie?.value}` },
    });
    expect(mine.json()).toMatchObject({ code: 0, data: { username, unread_friend_apply_count: 0 } });
  });

  test('accepts the captcha of the last picture, known by its cookie', async () => {
    const { username, password } = await account();
    await call(running, 'POST', '/setting/update', { login_captcha: 'on' });
    const shown = await running.server.inject({ url: '/h5/login/logincaptcha?rand=0.25' });
    expect(shown.headers).toMatchObject({
      'content-type': expect.stringContaining('image/'),
      'cache-control': 'no-store',
    });
    const [cookie] = shown.cookies;
    expect(cookie).toMatchObject({ name: 'login_captcha_id', httpOnly: true });
    // A program cannot read the picture, so the test sets an answer that it knows.
    await running.application.pool.query('update accounts.captchas set hash = $2 where id = $1', [
      cookie?.value,
      createHmac('sha256', testApp.secret).update(`captcha ${cookie?.value} ab3x`).digest(),
    ]);
    const headers = { cookie: `login_captcha_id=${cookie?.value}` };
    const login = { username, password, captcha: 'AB3X' };
    expect(await call(running, 'POST', '/login/check', login, nobody)).toMatchObject({ code: 1 });
    expect(await call(running, 'POST', '/login/check', login, headers)).toMatchObject({ code: 0 });
    expect(await call(running, 'POST', '/login/check', login, headers)).toMatchObject({ code: 2 });
    await call(running, 'POST', '/setting/update', { login_captcha: 'off' });
  });

  test('and login/join have a cookie each, so that one picture does not take the place of the other', async () => {
    const shown = await running.server.inject({ url: '/web/login/joincaptcha' });
    expect(shown.cookies).toMatchObject([{ name: 'join_captcha_id' }]);
  });
});

test('user/detail and user/getbyname show what user/get does', async () => {
  const [tom, jerry] = await two(running);
  await befriend(tom, jerry);
  const seen = await tom.get('/user/get', { uid: jerry.uid });
  expect(seen.data).toMatchObject({ is_friend: true, remark: '', account_state: 'normal' });
  expect(await tom.get('/user/detail', { uid: jerry.uid })).toEqual(seen);
  const { username } = z.object({ username: z.string() }).parse(seen.data);
  expect(await tom.get('/user/getbyname', { username })).toEqual(seen);
  expect(await tom.get('/user/getbyname')).toMatchObject({ code: 1 });
  expect(await tom.get('/user/getbyname', { username: 'nobody0' })).toMatchObject({ code: 101 });
});

describe('in a group', () => {
  async function group() {
    const [tom, jerry] = await two(running);
    return { tom, jerry, gid: await createGroup(tom, jerry) };
  }

  test('forbiddengroup mutes everyone else, and chattinggroup ends it', async () => {
    const { tom, jerry, gid } = await group();
    const say = () => jerry.post('/message/send', { to: gid, type: 'group', content: '在' });
    expect(await tom.post('/group/forbiddengroup', { gid })).toEqual(done);
    expect(await say()).toMatchObject({ code: 200 });
    expect(await tom.post('/group/chattinggroup', { gid })).toEqual(done);
    expect(await say()).toMatchObject({ code: 0 });
  });

  test('a picture that was uploaded by upload/groupavatar becomes the group’s by guaUpdate', async () => {
    const { tom, gid } = await group();
    const fields = { login_uid: String(tom.uid), gid: String(gid) };
    const { src } = await uploaded(running, {
      ...{ path: '/upload/groupavatar', bytes: await picture('png'), fields },
    });
    expect(await tom.post('/group/guaUpdate', { gid, avatar: src })).toEqual(done);
    expect((await tom.get('/group/detail', { gid })).data).toMatchObject({ info: { avatar: src } });
    expect(await tom.post('/group/guaUpdate', { gid })).toMatchObject({ code: 1 });
  });

  test('detail names the group, and repeats info in data for who sends simple', async () => {
    const { tom, gid } = await group();
    await tom.post('/group/remark', { gid, remark: '我们' });
    const info = { gid, groupname: '群聊(tom,jerry)', remark: '我们', uid: tom.uid };
    const plain = (await tom.get('/group/detail', { gid })).data;
    expect(plain).toMatchObject({ info, members: expect.anything() });
    expect(plain).not.toHaveProperty('groupname');
    expect((await tom.get('/group/detail', { gid, simple: 1 })).data).toMatchObject({ info, ...info });
  });

  test('members are grouped by their initials if pinyin is given, without those that exclude names', async () => {
    const { tom, jerry, gid } = await group();
    const byUid = (await tom.get('/group/members', { gid, exclude: `${jerry.uid}` })).data;
    expect(Object.keys(z.record(z.string(), z.unknown()).parse(byUid))).toEqual([String(tom.uid)]);
    expect((await tom.get('/group/members', { gid, pinyin: 1 })).data).toEqual({
      J: { [jerry.uid]: expect.objectContaining({ uid: jerry.uid, name: 'jerry', initials: 'J', index: 2 }) },
      T: { [tom.uid]: expect.objectContaining({ uid: tom.uid, name: 'tom', initials: 'T', index: 1 }) },
    });
    const none = await tom.get('/group/members', { gid, pinyin: 1, exclude: `${jerry.uid},${tom.uid}` });
    expect(none.data).toEqual({});
    expect(await tom.get('/group/members', { gid, exclude: 'jerry' })).toMatchObject({
      ...refusedWith(2, '参数exclude不合法'),
    });
  });

  test('a negative time ends a mute', async () => {
    const { tom, jerry, gid } = await group();
    const mute = (time: number) => tom.post('/group/forbiddenuser', { gid, uid: jerry.uid, time });
    const say = () => jerry.post('/message/send', { to: gid, type: 'group', content: '在' });
    expect(await mute(600)).toEqual(done);
    expect(await say()).toMatchObject({ code: 4 });
    expect(await mute(-1)).toEqual(done);
    expect(await say()).toMatchObject({ code: 0 });
  });

  test.each(['removed', 'the group dissolved'])(
    'a page that is open on it meets no error once %s',
    async (how) => {
      const { tom, jerry, gid } = await group();
      await tom.post('/message/send', { to: gid, type: 'group', content: '在' });
      if (how === 'removed') await tom.post('/group/memberdel', { gid, members: [jerry.uid] });
      else await tom.post('/group/delete', { gid });
      const chat = { id: gid, type: 'group' };
      expect(await jerry.get('/message/get', chat)).toEqual({ code: 0, msg: 'ok', data: [] });
      expect(await jerry.post('/message/updateLastReadTime', chat)).toEqual(done);
      expect(await jerry.get('/message/unreadcount', chat)).toMatchObject({ code: 0, data: 0 });
    },
  );
});
