import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningApplication, startApplication, testApp } from '../support/application.ts';
import { call, done, refusedWith } from '../support/client.ts';
import { joined, newAccount, smsCode } from '../support/joining.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

const nobody = {};
const post = (path: string, given: Record<string, unknown>) => call(running, 'POST', path, given, nobody);
const login = (given: Record<string, unknown>) => post('/login/login', given);
const set = (changes: Record<string, unknown>) => call(running, 'POST', '/setting/update', changes);

describe('joining', () => {
  test('needs the code that was sent to the phone, which stays good over what is refused', async () => {
    const taken = await joined(running);
    const tom = newAccount();
    expect(await post('/service/send_sms', { phone: tom.phone, type: 'register' })).toEqual(done);
    const code = await smsCode(running, tom.phone, 'register');
    expect(await post('/login/join', { ...tom, code: '000000' })).toMatchObject({ code: 2 });
    expect(await post('/login/join', { ...tom, code, username: taken.username.toUpperCase() })).toMatchObject(
      {
        ...refusedWith(2, '用户名已被占用'),
      },
    );
    // Legacy pages send numbers.
    const numbers = { code: Number(code), phone: Number(tom.phone) };
    expect(await post('/login/join', { ...tom, ...numbers })).toEqual(done);
    expect(await login({ phone: tom.phone, password: tom.password })).toMatchObject({ code: 0 });
    expect(await login({ username: tom.phone, password: tom.password })).toMatchObject({ code: 0 });
    expect(await post('/login/join', { ...newAccount(), phone: tom.phone, code })).toMatchObject({ code: 2 });
  });

  test('gives the same answer for a known phone, and sends it nothing', async () => {
    const { phone } = await joined(running);
    await running.application.pool.query('update accounts.sms_codes set sent = sent - $1::interval', [
      '1 hour',
    ]);
    const before = await smsCode(running, phone, 'register');
    expect(await post('/service/send_sms', { phone, type: 'register' })).toEqual(done);
    expect(await smsCode(running, phone, 'register')).toBe(before);
    const unknown = newAccount().phone;
    expect(await post('/service/send_sms', { phone: unknown, type: 'forget' })).toEqual(done);
    expect(await smsCode(running, unknown, 'forget')).toBe('none was sent');
  });

  test('needs no phone while register_sms is off, but the code of a phone that is given', async () => {
    const { phone, ...tom } = newAccount();
    expect(await post('/login/join', tom)).toEqual(refusedWith(1, '缺少参数phone'));
    await set({ register_sms: 'off' });
    expect(await post('/login/join', tom)).toEqual(done);
    expect(await login({ username: tom.username, password: tom.password })).toMatchObject({ code: 0 });
    const jerry = { ...newAccount(), phone };
    expect(await post('/login/join', jerry)).toEqual(refusedWith(1, '缺少参数code'));
    expect(await post('/login/join', { ...jerry, code: '123456' })).toMatchObject({ code: 2 });
    await post('/service/send_sms', { phone, type: 'register' });
    const code = await smsCode(running, phone, 'register');
    expect(await post('/login/join', { ...jerry, code })).toEqual(done);
    expect(await login({ phone, password: jerry.password })).toMatchObject({ code: 0 });
    await set({ register_sms: 'on' });
  });

  test('is refused while it is switched off', async () => {
    await set({ register: 'off' });
    expect(await post('/login/join', { ...newAccount(), code: '123456' })).toMatchObject({ code: 205 });
    await set({ register: 'on' });
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

  test('is required to log in', async () => {
    const { username, password } = await joined(running);
    await set({ login_captcha: 'on' });
    expect(await login({ username, password })).toEqual(refusedWith(1, '缺少参数captcha_id'));
    expect(await login({ username, password, captcha_id: 'x' })).toEqual(refusedWith(1, '缺少参数captcha'));
    const picture = await solved();
    expect(await login({ username, password, ...picture, captcha: 'nope' })).toMatchObject({ code: 2 });
    expect(await login({ username, password, ...picture })).toMatchObject({ code: 2 });
    expect(await login({ username, password, ...(await solved()) })).toMatchObject({ code: 0 });
  });

  test('is required to join', async () => {
    const tom = newAccount();
    await post('/service/send_sms', { phone: tom.phone, type: 'register' });
    const code = await smsCode(running, tom.phone, 'register');
    await set({ register_captcha: 'on' });
    expect(await post('/login/join', { ...tom, code })).toEqual(refusedWith(1, '缺少参数captcha_id'));
    expect(await post('/login/join', { ...tom, code, captcha_id: 'x', captcha: 'y' })).toMatchObject({
      code: 2,
    });
    expect(await post('/login/join', { ...tom, code, ...(await solved()) })).toEqual(done);
  });
});

test('wrong passwords are counted by username over all calls, up to the setting', async () => {
  const { username, password } = await joined(running);
  await set({ limit_password: 3 });
  const tries = [
    () => login({ username, password: 'wrong-1' }),
    () => call(running, 'GET', '/user/get', { username, password: 'wrong-2' }),
    () => login({ username: username.toUpperCase(), password: 'wrong-3' }),
  ];
  for (const attempt of tries) expect(await attempt()).toEqual(refusedWith(2, '用户名或密码错误'));
  const late = refusedWith(2, '密码错误次数过多,请一分钟后再试');
  expect(await login({ username, password })).toEqual(late);
  expect(await call(running, 'GET', '/user/get', { username, password })).toEqual(late);
  await set({ limit_password: 10 });
  expect(await login({ username, password })).toMatchObject({ code: 0 });
});
