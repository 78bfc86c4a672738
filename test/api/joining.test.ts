import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningApplication, startApplication, testApp } from '../support/application.ts';
import { call, done } from '../support/client.ts';
import { join, smsCode } from '../support/joining.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

const nobody = {};
const post = (path: string, given: Record<string, unknown>) => call(running, 'POST', path, given, nobody);
const login = (given: Record<string, unknown>) => post('/login/login', given);
const set = (changes: Record<string, unknown>) => call(running, 'POST', '/setting/update', changes);
const Token = z.object({ token: z.string() });

let people = 0;
/** An account as a page gives it, with names of its own. */
function account() {
  const number = ++people;
  return {
    ...{ username: `joiner${number}`, nickname: '猫猫', password: 'secret-1' },
    phone: String(13_700_000_000 + number),
  };
}

async function joined() {
  const made = account();
  const uid = await join(running, made);
  const { token } = Token.parse((await login({ phone: made.phone, password: made.password })).data);
  return { ...made, uid, bearer: { authorization: `Bearer ${token}` } };
}

describe('joining', () => {
  test('needs the code that was sent to the phone, which stays good over what is refused', async () => {
    const taken = await joined();
    const tom = account();
    expect(await post('/service/send_sms', { phone: tom.phone, type: 'register' })).toEqual(done);
    const code = await smsCode(running, tom.phone, 'register');
    expect(await post('/login/join', { ...tom, code: '000000' })).toMatchObject({ code: 2 });
    expect(await post('/login/join', { ...tom, code, username: taken.username.toUpperCase() })).toMatchObject(
      {
        ...{ code: 2, msg: '用户名已被占用' },
      },
    );
    // Legacy pages send numbers.
    const numbers = { code: Number(code), phone: Number(tom.phone) };
    expect(await post('/login/join', { ...tom, ...numbers })).toEqual(done);
    expect(await login({ phone: tom.phone, password: tom.password })).toMatchObject({ code: 0 });
    expect(await login({ username: tom.phone, password: tom.password })).toMatchObject({ code: 0 });
    expect(await post('/login/join', { ...account(), phone: tom.phone, code })).toMatchObject({ code: 2 });
  });

  test('answers alike for a phone that is known, and sends it nothing', async () => {
    const { phone } = await joined();
    await running.application.pool.query('update accounts.sms_codes set sent = sent - $1::interval', [
      '1 hour',
    ]);
    const before = await smsCode(running, phone, 'register');
    expect(await post('/service/send_sms', { phone, type: 'register' })).toEqual(done);
    expect(await smsCode(running, phone, 'register')).toBe(before);
    const unknown = account().phone;
    expect(await post('/service/send_sms', { phone: unknown, type: 'forget' })).toEqual(done);
    expect(await smsCode(running, unknown, 'forget')).toBe('none was sent');
  });

  test('needs no phone while register_sms is off, but the code of a phone that is given', async () => {
    const { phone, ...tom } = account();
    expect(await post('/login/join', tom)).toEqual({ code: 1, msg: '缺少参数phone' });
    await set({ register_sms: 'off' });
    expect(await post('/login/join', tom)).toEqual(done);
    expect(await login({ username: tom.username, password: tom.password })).toMatchObject({ code: 0 });
    const jerry = { ...account(), phone };
    expect(await post('/login/join', jerry)).toEqual({ code: 1, msg: '缺少参数code' });
    expect(await post('/login/join', { ...jerry, code: '123456' })).toMatchObject({ code: 2 });
    await post('/service/send_sms', { phone, type: 'register' });
    const code = await smsCode(running, phone, 'register');
    expect(await post('/login/join', { ...jerry, code })).toEqual(done);
    expect(await login({ phone, password: jerry.password })).toMatchObject({ code: 0 });
    await set({ register_sms: 'on' });
  });

  test('is refused while it is switched off', async () => {
    await set({ register: 'off' });
    expect(await post('/login/join', { ...account(), code: '123456' })).toMatchObject({ code: 205 });
    await set({ register: 'on' });
  });
});

describe('a forgotten password', () => {
  test('is replaced by who has the phone and knows the name, and ends all tokens', async () => {
    const [tom, other] = [await joined(), await joined()];
    await post('/service/send_sms', { phone: tom.phone, type: 'forget' });
    const code = await smsCode(running, tom.phone, 'forget');
    const given = { phone: tom.phone, code, username: tom.username, newpass: 'secret-2' };
    for (const wrong of [{ username: other.username }, { username: 'nobodyever' }, { phone: other.phone }]) {
      expect(await post('/service/forget_pass', { ...given, ...wrong })).toMatchObject({ code: 2 });
    }
    expect(await call(running, 'GET', '/pop/get', {}, tom.bearer)).toMatchObject({ code: 0 });
    expect(await post('/service/forget_pass', given)).toEqual(done);
    expect(await call(running, 'GET', '/pop/get', {}, tom.bearer)).toMatchObject({ code: -1 });
    expect(await login({ username: tom.username, password: 'secret-1' })).toMatchObject({ code: 2 });
    expect(await login({ username: tom.username, password: 'secret-2' })).toMatchObject({ code: 0 });
    expect(await post('/service/forget_pass', given)).toMatchObject({ code: 2 });
  });
});

describe('a new password', () => {
  test('needs the old one or a code sent to one’s own phone, and has to be given twice', async () => {
    const [tom, other] = [await joined(), await joined()];
    const change = (given: Record<string, unknown>) =>
      call(running, 'POST', '/user/updatepassword', { password1: 'secret-2', ...given }, tom.bearer);
    const ask = (phone: string) =>
      call(running, 'POST', '/user/send_sms_pass', { phone, type: 'retrieve' }, tom.bearer);
    expect(await ask(other.phone)).toMatchObject({ code: 2 });
    expect(await ask(tom.phone)).toEqual(done);
    const code = await smsCode(running, tom.phone, 'retrieve');
    expect(await change({ password2: 'secret-2' })).toEqual({ code: 1, msg: '缺少参数password_old' });
    expect(await change({ password2: 'secret-3', code })).toMatchObject({ code: 2 });
    expect(await change({ password2: 'secret-2', password_old: 'secret-9' })).toMatchObject({ code: 2 });
    expect(await change({ password2: 'secret-2', code })).toEqual(done);
    expect(await call(running, 'GET', '/pop/get', {}, tom.bearer)).toMatchObject({ code: -1 });
    expect(await login({ username: tom.username, password: 'secret-2' })).toMatchObject({ code: 0 });
  });
});

describe('a phone', () => {
  /** Someone whom a server registered, so that they have no phone. */
  async function withoutPhone() {
    const { username, nickname, password } = account();
    const { data } = await call(running, 'POST', '/user/add', { username, nickname, password });
    const { uid } = z.object({ uid: z.int() }).parse(data);
    const { token } = Token.parse((await login({ username, password })).data);
    return { username, password, uid, bearer: { authorization: `Bearer ${token}` } };
  }
  type Someone = Awaited<ReturnType<typeof withoutPhone>>;

  async function codeFor({ bearer }: Someone, phone: string): Promise<string> {
    expect(await call(running, 'POST', '/user/send_sms_pass', { phone, type: 'bind' }, bearer)).toEqual(done);
    return smsCode(running, phone, 'bind');
  }
  const bind = ({ bearer }: Someone, given: Record<string, unknown>) =>
    call(running, 'POST', '/user/bindphone', given, bearer);

  test('is bound by the code that was sent to it, and brings a forgotten password back', async () => {
    const tom = await withoutPhone();
    const { phone } = account();
    const code = await codeFor(tom, phone);
    expect(await bind(tom, { phone })).toEqual({ code: 1, msg: '缺少参数code' });
    expect(await bind(tom, { phone, code: '000000' })).toMatchObject({ code: 2 });
    expect(await bind(tom, { phone, code })).toEqual(done);
    expect(await bind(tom, { phone, code })).toMatchObject({ code: 2 });
    expect(await login({ phone, password: tom.password })).toMatchObject({ data: { uid: tom.uid } });
    const { rows } = await running.application.pool.query('select phone from read.users where uid = $1', [
      tom.uid,
    ]);
    expect(rows).toEqual([{ phone }]);

    await post('/service/send_sms', { phone, type: 'forget' });
    const forgot = { phone, username: tom.username, newpass: 'secret-9' };
    const reset = { ...forgot, code: await smsCode(running, phone, 'forget') };
    expect(await post('/service/forget_pass', reset)).toEqual(done);
    expect(await login({ phone, password: 'secret-9' })).toMatchObject({ code: 0 });
  });

  test('is replaced by who knows the password, and the old one is free again', async () => {
    const [tom, other] = [await withoutPhone(), await withoutPhone()];
    const [first, second] = [account().phone, account().phone];
    expect(await bind(tom, { phone: first, code: await codeFor(tom, first) })).toEqual(done);
    const code = await codeFor(tom, second);
    expect(await bind(tom, { phone: second, code })).toMatchObject({ code: 1 });
    expect(await bind(tom, { phone: second, code, password: 'secret-8' })).toEqual({
      ...{ code: 2, msg: '密码错误' },
    });
    expect(await bind(tom, { phone: second, code, password: tom.password })).toEqual(done);
    expect(await login({ phone: first, password: tom.password })).toMatchObject({ code: 2 });
    await running.application.pool.query("update accounts.sms_codes set sent = sent - interval '1 hour'");
    expect(await bind(other, { phone: first, code: await codeFor(other, first) })).toEqual(done);
  });

  test('is bound once, if one person binds two at once: the other would replace it without the password', async () => {
    const tom = await withoutPhone();
    const phones = [account().phone, account().phone];
    const asked = [];
    for (const phone of phones) asked.push({ phone, code: await codeFor(tom, phone) });
    const outcomes = await Promise.all(asked.map((given) => bind(tom, given)));
    expect(outcomes.filter(({ code }) => code === 0)).toHaveLength(1);
    const logins = await Promise.all(phones.map((phone) => login({ phone, password: tom.password })));
    expect(logins.map(({ code }) => code)).toEqual(outcomes.map(({ code }) => (code === 0 ? 0 : 2)));
  });

  test('of another is not bound, and who asks does not learn whether it is one’s', async () => {
    const tom = await withoutPhone();
    const { phone } = await joined();
    expect(await codeFor(tom, phone)).toBe('none was sent');
    expect(await bind(tom, { phone, code: '123456' })).toMatchObject({ code: 2 });
    const code = await codeFor(tom, account().phone);
    expect(await bind(tom, { phone, code })).toMatchObject({ code: 2 });
  });

  test('that two bind at once is one’s alone', async () => {
    const [tom, jerry] = [await withoutPhone(), await withoutPhone()];
    const { phone } = account();
    const outcomes = await Promise.all(
      [tom, jerry].map(({ uid }) => call(running, 'POST', '/user/update', { login_uid: uid, phone })),
    );
    expect(outcomes).toEqual(expect.arrayContaining([done, { code: 2, msg: '手机号已被注册' }]));
  });
});

describe('a captcha that is switched on', () => {
  afterEach(() => set({ register_captcha: 'off', login_captcha: 'off' }));

  /** No program reads the picture, so it is given an answer that is known. */
  async function solved() {
    const picture = await call(running, 'GET', '/login/captcha', {}, nobody);
    const { captcha_id } = z.object({ captcha_id: z.string() }).parse(picture.data);
    await running.application.pool.query('update accounts.captchas set hash = $2 where id = $1', [
      captcha_id,
      createHmac('sha256', testApp.secret).update(`captcha ${captcha_id} ab3x`).digest(),
    ]);
    return { captcha_id, captcha: 'aB3x' };
  }

  test('is asked of who logs in', async () => {
    const { username, password } = await joined();
    await set({ login_captcha: 'on' });
    expect(await login({ username, password })).toEqual({ code: 1, msg: '缺少参数captcha_id' });
    expect(await login({ username, password, captcha_id: 'x' })).toEqual({ code: 1, msg: '缺少参数captcha' });
    const picture = await solved();
    expect(await login({ username, password, ...picture, captcha: 'nope' })).toMatchObject({ code: 2 });
    expect(await login({ username, password, ...picture })).toMatchObject({ code: 2 });
    expect(await login({ username, password, ...(await solved()) })).toMatchObject({ code: 0 });
  });

  test('is asked of who joins', async () => {
    const tom = account();
    await post('/service/send_sms', { phone: tom.phone, type: 'register' });
    const code = await smsCode(running, tom.phone, 'register');
    await set({ register_captcha: 'on' });
    expect(await post('/login/join', { ...tom, code })).toEqual({ code: 1, msg: '缺少参数captcha_id' });
    expect(await post('/login/join', { ...tom, code, captcha_id: 'x', captcha: 'y' })).toMatchObject({
      code: 2,
    });
    expect(await post('/login/join', { ...tom, code, ...(await solved()) })).toEqual(done);
  });
});

test('wrong passwords are counted by username, wherever they are tried, up to the setting', async () => {
  const { username, password } = await joined();
  await set({ limit_password: 3 });
  const tries = [
    () => login({ username, password: 'wrong-1' }),
    () => call(running, 'GET', '/user/get', { username, password: 'wrong-2' }),
    () => login({ username: username.toUpperCase(), password: 'wrong-3' }),
  ];
  for (const attempt of tries) expect(await attempt()).toEqual({ code: 2, msg: '用户名或密码错误' });
  const late = { code: 2, msg: '密码错误次数过多,请一分钟后再试' };
  expect(await login({ username, password })).toEqual(late);
  expect(await call(running, 'GET', '/user/get', { username, password })).toEqual(late);
  await set({ limit_password: 10 });
  expect(await login({ username, password })).toMatchObject({ code: 0 });
});
