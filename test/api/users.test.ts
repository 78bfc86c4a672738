import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { call, done, person, refusedWith, three, two } from '../support/client.ts';
import { join } from '../support/joining.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

const Profile = z.looseObject({ uid: z.int(), username: z.string(), nid: z.int() });
const Opened = z.object({ uid: z.int() });

describe('user/get', () => {
  test('finds by uid, by username in any case and by number id only', async () => {
    const [tom, jerry] = await two(running);
    const seen = Profile.parse((await tom.get('/user/get', { uid: jerry.uid })).data);
    expect(seen.uid).toBe(jerry.uid);
    expect((await tom.get('/user/get', { username: seen.username.toUpperCase() })).data).toEqual(seen);
    expect((await tom.get('/user/get', { nid: seen.nid })).data).toEqual(seen);
    expect(await tom.get('/user/get')).toEqual(refusedWith(1, '缺少参数uid'));
    expect(await tom.get('/user/get', { uid: 999_999 })).toMatchObject({ code: 101 });
  });

  test('says how two people are related only if it knows the caller', async () => {
    const [tom, jerry] = await two(running);
    expect((await tom.get('/user/get', { uid: jerry.uid })).data).toMatchObject({
      ...{ is_friend: false, remark: '' },
    });
    const { data } = await call(running, 'GET', '/user/get', { uid: jerry.uid });
    expect(data).not.toHaveProperty('is_friend');
    expect(data).not.toHaveProperty('remark');
  });

  test('with a password returns the person whose password it is, and nobody else', async () => {
    const [tom, jerry] = await two(running);
    const { username } = Profile.parse((await call(running, 'GET', '/user/get', { uid: tom.uid })).data);
    const right = { username, password: 'secret-1' };
    expect(await call(running, 'GET', '/user/get', right)).toMatchObject({ data: { uid: tom.uid } });
    expect(await call(running, 'GET', '/user/get', { ...right, uid: jerry.uid })).toMatchObject({
      data: { uid: tom.uid },
    });
    expect(await call(running, 'GET', '/user/get', { ...right, password: 'secret-2' })).toEqual({
      ...refusedWith(2, '用户名或密码错误'),
    });
    const nameless = { uid: tom.uid, password: 'secret-1' };
    expect(await call(running, 'GET', '/user/get', nameless)).toEqual(refusedWith(1, '缺少参数username'));
  });

  test('with the password of a phone’s owner does not show whose username that number is', async () => {
    const phone = '13800002222';
    const account = { username: phone, nickname: '冒名', password: 'secret-of-another' };
    await call(running, 'POST', '/user/add', account);
    const uid = await join(running, { username: 'phoneowner', phone, password: 'secret-of-owner' });
    const given = { username: phone, password: 'secret-of-owner' };
    expect(await call(running, 'GET', '/user/get', given)).toMatchObject({ data: { uid } });
  });
});

test('user/multiGet answers in the order asked, unknown ones left out, for GET and POST', async () => {
  const [tom, jerry, spike] = await three(running);
  const uid = [spike.uid, 999_999, tom.uid, jerry.uid];
  const found = [{ uid: spike.uid }, { uid: tom.uid }, { uid: jerry.uid }];
  expect(await tom.post('/user/multiGet', { uid })).toMatchObject({ data: found });
  const url = `/h5/user/multiGet?${uid.map((one) => `uid[]=${one}`).join('&')}`;
  const headers = {
    'x-app-key': running.application.app.key,
    'x-app-secret': running.application.app.secret,
  };
  expect((await running.server.inject({ url, headers })).json()).toMatchObject({ data: found });
});

describe('user/open_user', () => {
  const kid = (username: string) => ({ username, nickname: '小猫', password: 'secret-1' });

  test('opens an account below a member’s, friends from the start, with no chat yet', async () => {
    const tom = await person(running, 'tom');
    await call(running, 'POST', '/user/update', { login_uid: tom.uid, is_member: 1 });
    const { uid } = Opened.parse((await tom.post('/user/open_user', kid('tomkid'))).data);
    expect(await tom.get('/user/get', { uid })).toMatchObject({ data: { is_friend: true } });
    const back = await call(running, 'GET', '/user/get', { uid: tom.uid, login_uid: uid });
    expect(back).toMatchObject({ data: { is_friend: true } });
    expect(await tom.get('/pop/get')).toMatchObject({ data: { chatting: {} } });
    const login = { username: 'tomkid', password: 'secret-1' };
    expect(await call(running, 'POST', '/login/login', login, {})).toMatchObject({ data: { uid } });
  });

  test('may be repeated, but is no way to another’s account', async () => {
    const [tom, spike] = await two(running, 'tom', 'spike');
    for (const { uid } of [tom, spike])
      await call(running, 'POST', '/user/update', { login_uid: uid, is_member: 1 });
    const opened = await tom.post('/user/open_user', kid('again'));
    expect(await tom.post('/user/open_user', kid('again'))).toEqual(opened);
    const taken = refusedWith(2, '用户名已被占用');
    expect(await spike.post('/user/open_user', kid('again'))).toEqual(taken);
    expect(await tom.post('/user/open_user', { ...kid('again'), password: 'secret-2' })).toEqual(taken);
  });

  test('is for members (会员) alone', async () => {
    const jerry = await person(running, 'jerry');
    expect(await jerry.post('/user/open_user', kid('jerrykid'))).toMatchObject({ code: 2 });
    expect(await jerry.get('/user/get', { username: 'jerrykid' })).toMatchObject({ code: 101 });
  });
});

describe('the server’s key', () => {
  test('sets a person’s password, which ends all tokens, and their phone', async () => {
    const given = { username: 'forgetful', nickname: '猫猫', password: 'secret-1' };
    const { uid } = Opened.parse((await call(running, 'POST', '/user/add', given)).data);
    const login = (password: string, name: Record<string, string> = { username: 'forgetful' }) =>
      call(running, 'POST', '/login/login', { ...name, password }, {});
    const { token } = z.object({ token: z.string() }).parse((await login('secret-1')).data);
    const changes = { login_uid: uid, password: 'secret-2', phone: '13800003333' };
    expect(await call(running, 'POST', '/user/update', changes)).toEqual(done);
    expect(await call(running, 'POST', '/user/update', changes)).toEqual(done);
    const bearer = { authorization: `Bearer ${token}` };
    expect(await call(running, 'GET', '/pop/get', {}, bearer)).toMatchObject({ code: -1 });
    expect(await login('secret-1')).toMatchObject({ code: 2 });
    expect(await login('secret-2', { phone: '13800003333' })).toMatchObject({ data: { uid } });
    const other = await person(running, 'jerry');
    expect(
      await call(running, 'POST', '/user/update', {
        ...{ login_uid: other.uid, phone: '13800003333', nickname: '冒名' },
      }),
    ).toEqual(refusedWith(2, '手机号已被注册'));
    expect(await other.get('/user/get', { uid: other.uid })).toMatchObject({ data: { nickname: 'jerry' } });
    expect(
      await call(running, 'POST', '/user/update', { login_uid: 999_999, phone: '13800003334' }),
    ).toMatchObject({ code: 101 });
  });

  test('is needed for that: the refusal of a person’s own token names the call to use', async () => {
    const given = { username: 'selfmade', nickname: '猫猫', password: 'secret-1' };
    await call(running, 'POST', '/user/add', given);
    const { data } = await call(running, 'POST', '/login/login', given, {});
    const { token } = z.object({ token: z.string() }).parse(data);
    const update = (changes: Record<string, string>) =>
      call(running, 'POST', '/user/update', changes, { authorization: `Bearer ${token}` });
    expect(await update({ sign: '懒', password: 'secret-2' })).toEqual({
      ...refusedWith(2, '参数password不能在此修改,请调用user/updatepassword'),
    });
    expect(await update({ phone: '13800004444' })).toEqual({
      ...refusedWith(2, '参数phone不能在此修改,请调用user/bindphone'),
    });
    expect(await call(running, 'GET', '/user/get', given)).toMatchObject({ code: 0, data: { sign: '' } });
  });
});

test('a disabled account reads, but does not send, apply, create, join or open an account', async () => {
  const [tom, jerry] = await two(running);
  const made = await jerry.post('/group/create');
  const { gid } = z.object({ gid: z.string() }).parse(made.data);
  const changes = { login_uid: tom.uid, is_member: 1, account_state: 'disabled' };
  expect(await call(running, 'POST', '/user/update', changes)).toEqual(done);
  const account = { username: 'kidofdisabled', nickname: 'x', password: 'secret-1' };
  for (const [path, parameters] of [
    ['/message/send', { to: jerry.uid, type: 'friend', content: 'x' }],
    ['/friend/apply', { friend_uid: jerry.uid }],
    ['/group/create', {}],
    ['/group/join', { gid }],
    ['/user/open_user', account],
  ] as const) {
    expect(await tom.post(path, parameters), path).toEqual(refusedWith(85, '账号已被禁用'));
  }
  expect(await tom.get('/pop/get')).toMatchObject({ code: 0, data: { mine: { uid: tom.uid } } });
  expect(await tom.get('/user/get', { uid: tom.uid })).toMatchObject({ data: { account_state: 'disabled' } });
});
