import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningApplication, startApplication } from '../support/application.ts';
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
const Token = z.object({ token: z.string() });

describe('a forgotten password', () => {
  test('is replaced by a person who has the phone and knows the name, which ends all tokens', async () => {
    const [tom, other] = [await joined(running), await joined(running)];
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
    const [tom, other] = [await joined(running), await joined(running)];
    const change = (given: Record<string, unknown>) =>
      call(running, 'POST', '/user/updatepassword', { password1: 'secret-2', ...given }, tom.bearer);
    const ask = (phone: string) =>
      call(running, 'POST', '/user/send_sms_pass', { phone, type: 'retrieve' }, tom.bearer);
    expect(await ask(other.phone)).toMatchObject({ code: 2 });
    expect(await ask(tom.phone)).toEqual(done);
    const code = await smsCode(running, tom.phone, 'retrieve');
    expect(await change({ password2: 'secret-2' })).toEqual(refusedWith(1, '缺少参数password_old'));
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
    const { username, nickname, password } = newAccount();
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
    const { phone } = newAccount();
    const code = await codeFor(tom, phone);
    expect(await bind(tom, { phone })).toEqual(refusedWith(1, '缺少参数code'));
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

  test('is replaced by a person who knows the password, and the old one is free again', async () => {
    const [tom, other] = [await withoutPhone(), await withoutPhone()];
    const [first, second] = [newAccount().phone, newAccount().phone];
    expect(await bind(tom, { phone: first, code: await codeFor(tom, first) })).toEqual(done);
    const code = await codeFor(tom, second);
    expect(await bind(tom, { phone: second, code })).toMatchObject({ code: 1 });
    expect(await bind(tom, { phone: second, code, password: 'secret-8' })).toEqual({
      ...refusedWith(2, '密码错误'),
    });
    expect(await bind(tom, { phone: second, code, password: tom.password })).toEqual(done);
    expect(await login({ phone: first, password: tom.password })).toMatchObject({ code: 2 });
    await running.application.pool.query("update accounts.sms_codes set sent = sent - interval '1 hour'");
    expect(await bind(other, { phone: first, code: await codeFor(other, first) })).toEqual(done);
  });

  test('is bound once, if one person binds two at once: the other would replace it without the password', async () => {
    const tom = await withoutPhone();
    const phones = [newAccount().phone, newAccount().phone];
    const asked = [];
    for (const phone of phones) asked.push({ phone, code: await codeFor(tom, phone) });
    const outcomes = await Promise.all(asked.map((given) => bind(tom, given)));
    expect(outcomes.filter(({ code }) => code === 0)).toHaveLength(1);
    const logins = await Promise.all(phones.map((phone) => login({ phone, password: tom.password })));
    expect(logins.map(({ code }) => code)).toEqual(outcomes.map(({ code }) => (code === 0 ? 0 : 2)));
  });

  test('of another person is not bound, and the answer does not reveal whether it is known', async () => {
    const tom = await withoutPhone();
    const { phone } = await joined(running);
    expect(await codeFor(tom, phone)).toBe('none was sent');
    expect(await bind(tom, { phone, code: '123456' })).toMatchObject({ code: 2 });
    const code = await codeFor(tom, newAccount().phone);
    expect(await bind(tom, { phone, code })).toMatchObject({ code: 2 });
  });

  test('that two people bind at once belongs to one of them', async () => {
    const [tom, jerry] = [await withoutPhone(), await withoutPhone()];
    const { phone } = newAccount();
    const outcomes = await Promise.all(
      [tom, jerry].map(({ uid }) => call(running, 'POST', '/user/update', { login_uid: uid, phone })),
    );
    expect(outcomes).toEqual(expect.arrayContaining([done, refusedWith(2, '手机号已被注册')]));
  });
});
