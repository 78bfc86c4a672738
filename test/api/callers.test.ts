import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { call, done, refusedWith } from '../support/client.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

const Login = z.object({ uid: z.int(), token: z.string(), expires: z.int() });
let names = 0;

/** Registers someone with a password, and logs in. */
async function login(password = 'secret-1') {
  const username = `caller${++names}`;
  await call(running, 'POST', '/user/add', { username, nickname: username, password });
  const answer = await call(running, 'POST', '/login/login', { username, password }, {});
  return { username, password, ...Login.parse(answer.data) };
}

const bearer = ({ token }: { token: string }) => ({ authorization: `Bearer ${token}` });

describe('a token', () => {
  test('acts for its own person, whether login_uid is given or not', async () => {
    const tom = await login();
    expect(tom.expires).toBe(30 * 86_400);
    expect(await call(running, 'GET', '/pop/get', {}, bearer(tom))).toMatchObject({
      data: { mine: { uid: tom.uid } },
    });
    const own = await call(running, 'GET', '/pop/get', { login_uid: tom.uid }, bearer(tom));
    expect(own).toMatchObject({ code: 0 });
    const other = await call(running, 'GET', '/pop/get', { login_uid: tom.uid + 1 }, bearer(tom));
    expect(other).toEqual(refusedWith(2, '参数login_uid不合法'));
  });

  test('is also read from the header `token`, unless Authorization gives one', async () => {
    const [tom, jerry] = [await login(), await login()];
    const mine = async (headers: Record<string, string>) =>
      (await call(running, 'GET', '/pop/get', {}, headers)).data;
    expect(await mine({ token: tom.token })).toMatchObject({ mine: { uid: tom.uid } });
    expect(await mine({ ...bearer(jerry), token: tom.token })).toMatchObject({ mine: { uid: jerry.uid } });
    expect(await call(running, 'GET', '/pop/get', {}, { token: 'dead' })).toMatchObject({ code: -1 });
  });

  test('may not do what the server’s key alone may', async () => {
    const tom = await login();
    const account = { username: 'intruder', nickname: 'x', password: 'secret-1' };
    expect(await call(running, 'POST', '/user/add', account, bearer(tom))).toMatchObject({ code: 2 });
    expect(await call(running, 'POST', '/friend/add', { friend_uid: 1 }, bearer(tom))).toMatchObject({
      code: 2,
    });
    for (const changes of [{ account_state: 'disabled' }, { is_member: 1 }]) {
      expect(await call(running, 'POST', '/user/update', changes, bearer(tom))).toMatchObject({ code: 2 });
    }
  });

  test('ends by logging out, by a new password, and with the account', async () => {
    const tom = await login();
    const elsewhere = Login.parse((await call(running, 'POST', '/login/login', tom, {})).data);
    expect(await call(running, 'POST', '/login/logout', {}, bearer(elsewhere))).toEqual(done);
    expect(await call(running, 'GET', '/pop/get', {}, bearer(elsewhere))).toMatchObject({ code: -1 });
    expect(await call(running, 'GET', '/pop/get', {}, bearer(tom))).toMatchObject({ code: 0 });
    const change = { password1: 'secret-2', password2: 'secret-2', password_old: 'secret-1' };
    expect(await call(running, 'POST', '/user/updatepassword', change, bearer(tom))).toEqual(done);
    expect(await call(running, 'GET', '/pop/get', {}, bearer(tom))).toMatchObject({ code: -1 });
    const again = { username: tom.username, password: 'secret-2' };
    const anew = Login.parse((await call(running, 'POST', '/login/login', again, {})).data);
    await call(running, 'POST', '/user/update', { login_uid: tom.uid, account_state: 'disabled' });
    expect(await call(running, 'GET', '/pop/get', {}, bearer(anew))).toMatchObject({ code: -1 });
    expect(await call(running, 'POST', '/login/login', again, {})).toMatchObject({ code: 0 });
  });

  test('is accepted as a cookie from our own pages only', async () => {
    const tom = await login();
    const page = (origin: string) => ({ cookie: `token=${tom.token}`, origin, host: 'chat.example' });
    const own = await call(running, 'GET', '/pop/get', {}, page('https://chat.example'));
    expect(own).toMatchObject({ code: 0 });
    const foreign = await call(running, 'GET', '/pop/get', {}, page('https://evil.example'));
    expect(foreign).toMatchObject({ code: -1 });
  });
});

describe('without a token', () => {
  test('nobody gets in, and what is open to all stays so with a dead one', async () => {
    expect(await call(running, 'GET', '/pop/get', {}, {})).toEqual(refusedWith(-1, '请先登录'));
    const dead = { authorization: 'Bearer dead' };
    expect(await call(running, 'GET', '/pop/get', {}, dead)).toMatchObject({ code: -1 });
    expect(await call(running, 'GET', '/pop/getsetting', {}, dead)).toMatchObject({
      code: 0,
      data: { id: '2' },
    });
  });

  test('a wrong password and an unknown name get the same answer', async () => {
    const tom = await login();
    const wrong = await call(
      running,
      'POST',
      '/login/login',
      { username: tom.username, password: 'nope' },
      {},
    );
    const unknown = await call(
      running,
      'POST',
      '/login/login',
      { username: 'nobodyhere', password: 'nope' },
      {},
    );
    expect(wrong).toEqual(refusedWith(2, '用户名或密码错误'));
    expect(unknown).toEqual(wrong);
  });
});

describe('the server’s key', () => {
  test('acts for the person it names, and must name one if a person acts', async () => {
    const tom = await login();
    expect(await call(running, 'GET', '/pop/get', { login_uid: tom.uid })).toMatchObject({ code: 0 });
    expect(await call(running, 'GET', '/pop/get')).toEqual(refusedWith(1, '缺少参数login_uid'));
    expect(await call(running, 'GET', '/user/multiGet', { uid: tom.uid })).toMatchObject({ code: 0 });
  });

  test('is refused first for naming nobody, before any other fault', async () => {
    for (const rest of [{}, { to: 'x', type: 'friend', content: '你好' }]) {
      expect(await call(running, 'POST', '/message/send', { login_uid: null, ...rest })).toEqual({
        ...refusedWith(1, '缺少参数login_uid'),
      });
    }
  });

  test('that is wrong is refused everywhere', async () => {
    const wrong = { ...serverKey, 'x-app-secret': 'wrong' };
    expect(await call(running, 'GET', '/pop/getsetting', {}, wrong)).toMatchObject({ code: 2 });
  });
});

describe('the envelope', () => {
  const inject = (method: 'GET' | 'POST' | 'PUT', url: string, payload?: string, type = 'application/json') =>
    running.server.inject({
      method,
      url,
      headers: { ...serverKey, ...(payload === undefined ? {} : { 'content-type': type }) },
      ...(payload === undefined ? {} : { payload }),
    });

  test.each([
    ['GET', '/api/no/such', undefined, 404, 404],
    ['GET', '/api/%zz', undefined, 400, 2],
    ['GET', '/api/message/send', undefined, 405, 405],
    ['PUT', '/api/message/send', undefined, 405, 405],
    ['POST', '/api/message/send', '{"to":', 400, 2],
    ['POST', '/api/message/send', `"${'x'.repeat(3 * 1024 * 1024)}"`, 413, 413],
  ] as const)(
    '%s %s that reaches no handler has a status of its own (%#)',
    async (method, url, body, status, code) => {
      const answer = await inject(method, url, body);
      expect(answer.statusCode).toBe(status);
      expect(answer.json()).toEqual({
        ...{ code, msg: expect.stringMatching(/\p{Script=Han}/u), data: [] },
      });
    },
  );

  test('a body of an unsupported type is answered with 415', async () => {
    const answer = await inject('POST', '/api/message/send', '<to>5</to>', 'application/xml');
    expect(answer.statusCode).toBe(415);
    expect(answer.json()).toMatchObject({ code: 415 });
  });

  test.each([
    'members[]=2&members[]=3',
    'members%5B%5D=2&members%5B%5D=3',
    'members[0]=2&members[1]=3',
    'members=2&members=3',
  ])('a form carries a list as %s', async (form) => {
    const [two, three] = [await login(), await login()];
    const body = form.replaceAll('=2', `=${two.uid}`).replaceAll('=3', `=${three.uid}`);
    const owner = await login();
    const answer = await running.server.inject({
      method: 'POST',
      url: '/h5/group/create',
      headers: { ...bearer(owner), 'content-type': 'application/x-www-form-urlencoded' },
      payload: body,
    });
    expect(answer.json()).toMatchObject({
      code: 0,
      data: { avatar: `/h5/group/avatar?uid=${owner.uid},${two.uid},${three.uid}` },
    });
  });

  test('a list of a thousand arrives whole', async () => {
    const owner = await login();
    const form = Array.from({ length: 1000 }, (_, index) => `members[]=${index + 1_000_000}`).join('&');
    const answer = await running.server.inject({
      method: 'POST',
      url: '/api/group/create',
      headers: { ...bearer(owner), 'content-type': 'application/x-www-form-urlencoded' },
      payload: form,
    });
    expect(answer.json()).toMatchObject({ code: 101, msg: expect.stringContaining('1000000') });
  });

  test('a query waits for the position that a command returned', async () => {
    const tom = await login();
    const sent = await running.server.inject({
      method: 'POST',
      url: '/api/user/update',
      headers: bearer(tom),
      payload: { nickname: '新名字' },
    });
    const position = String(sent.headers['x-position']);
    const headers = { ...bearer(tom), 'x-position': position };
    const seen = await call(running, 'GET', '/user/get', { uid: tom.uid }, headers);
    const ahead = { ...bearer(tom), 'x-position': '9'.repeat(16) };
    const beyond = await running.server.inject({ url: `/api/user/get?uid=${tom.uid}`, headers: ahead });
    expect(beyond.json()).toMatchObject({ code: 0, data: { nickname: '新名字' } });
    expect(beyond.headers['x-position']).toBe('reset');
    const none = { ...bearer(tom), 'x-position': 'here' };
    expect(await call(running, 'GET', '/user/get', { uid: tom.uid }, none)).toMatchObject({ code: 2 });
    expect(seen).toMatchObject({ data: { nickname: '新名字' } });
  });
});
