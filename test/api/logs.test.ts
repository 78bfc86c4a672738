import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { Refusal } from '../../contracts/codes.ts';
import { defaultSettings } from '../../contracts/settings.ts';
import { createHttp } from '../../services/api/http.ts';
import { logRequests } from '../../services/api/request-log.ts';
import { createSecurityLog } from '../../services/edge/security-log.ts';
import { type RunningApplication, startApplication, testApp } from '../support/application.ts';
import { call, client, done, person } from '../support/client.ts';
import { picture } from '../support/uploading.ts';

const logged: string[] = [];
let running: RunningApplication;

beforeAll(async () => {
  const stream = new Writable({
    write(line, _encoding, next) {
      logged.push(String(line));
      next();
    },
  });
  running = await startApplication({ logger: pino({ level: 'trace' }, stream) });
});
afterAll(() => running.stop());

/** A file with fields beside it, as a form of a page sends it. */
async function upload(headers: Readonly<Record<string, string>>, file: Blob): Promise<unknown> {
  const body = new FormData();
  body.append('file', file, 'a.png');
  const answer = await fetch(`${running.url}/api/upload/img`, { method: 'POST', headers, body });
  return z.object({ code: z.int() }).parse(await answer.json()).code;
}

/** The lines of the log with this message, without what pino adds. */
function loggedOf(message: string): unknown[] {
  const lines = logged.map((line) => z.looseObject({ msg: z.string().optional() }).parse(JSON.parse(line)));
  return lines
    .filter(({ msg }) => msg === message)
    .map(({ level: _, time: __, pid: ___, hostname: ____, reqId, msg: _____, ...line }) => {
      expect(reqId).toEqual(expect.any(String));
      return line;
    });
}

test('failed logins, wrong keys, new passwords, phones and disabled accounts are logged, with the person and the address', async () => {
  const account = { username: 'watched', nickname: '猫猫', password: 'secret-1' };
  const { data } = await call(running, 'POST', '/user/add', account);
  const { uid } = z.object({ uid: z.int() }).parse(data);
  const from = async (remoteAddress: string, url: string, payload: object, headers = {}) =>
    (
      await running.server.inject({ method: 'POST', url: `/api${url}`, payload, headers, remoteAddress })
    ).json();
  await from('10.0.0.7', '/login/login', { username: 'watched', password: 'wrong-1' });
  await from('10.0.0.8', '/login/login', { username: 'my-password', password: 'wrong-2' });
  expect(loggedOf('a password was wrong')).toEqual([{ address: '10.0.0.7', uid }, { address: '10.0.0.8' }]);

  await call(running, 'POST', '/setting/update', { limit_password: 1 });
  await from('10.0.0.7', '/login/login', { username: 'watched', password: 'wrong-1' });
  expect(loggedOf('too many passwords were wrong')).toEqual([{ address: '10.0.0.7', uid }]);
  await call(running, 'POST', '/setting/update', { limit_password: 10 });

  const key = { 'x-app-key': testApp.key, 'x-app-secret': 'wrong-secret' };
  await from('10.0.0.9', '/setting/update', { voice: 'off' }, key);
  expect(loggedOf("a server's key was wrong")).toEqual([{ address: '10.0.0.9' }]);

  const update = (changes: object) => call(running, 'POST', '/user/update', { login_uid: uid, ...changes });
  const byKey = { address: '127.0.0.1', uid, by: "the server's key" };
  await update({ account_state: 'disabled', password: 'secret-2', phone: '13800005555' });
  await update({ account_state: 'disabled' });
  await update({ account_state: 'normal' });
  expect(loggedOf('an account was disabled')).toEqual([byKey]);
  expect(loggedOf('an account was enabled')).toEqual([byKey]);
  expect(loggedOf('a password was changed')).toEqual([byKey]);
  expect(loggedOf('a phone was bound')).toEqual([byKey]);

  const changed = { username: 'watched', password: 'secret-2' };
  const login = await call(running, 'POST', '/login/login', changed, {});
  const { token } = z.object({ token: z.string() }).parse(login.data);
  const passwords = { password_old: 'secret-2', password1: 'secret-3', password2: 'secret-3' };
  await from('10.0.0.6', '/user/updatepassword', passwords, { authorization: `Bearer ${token}` });
  expect(loggedOf('a password was changed').at(-1)).toEqual({
    ...{ address: '10.0.0.6', uid, by: 'the old password' },
  });
  const log = logged.join('');
  for (const secret of [
    'wrong-1',
    'my-password',
    'wrong-secret',
    'secret-2',
    'secret-3',
    token,
    '13800005555',
  ]) {
    expect(log).not.toContain(secret);
  }
});

test('each request is a line: who asked, for which call, the code, the time, and as much of the address as events keep', async () => {
  const reader = await client(running, '杰瑞');
  const lines = () => loggedOf('a request was answered');
  const begun = lines().length;
  await call(running, 'POST', '/setting/update', { audit_address: 'short' });
  await reader.get('/user/get', { uid: reader.uid });
  await reader.post('/message/send', { to: 1, type: 'nothing', content: '不可说' });
  await running.server.inject({ url: '/api/no/such-path?token=unknown-token', remoteAddress: '10.1.2.3' });
  await call(running, 'POST', '/setting/update', { audit_address: 'off' });
  const ms = expect.any(Number);
  const address = '127.0.0.0/24';
  expect(lines().slice(begun)).toEqual([
    { who: 'server', method: 'POST', call: '/setting/update', code: 0, ms, address },
    { who: `${reader.uid}`, method: 'GET', call: '/user/get', code: 0, ms, address },
    { who: `${reader.uid}`, method: 'POST', call: '/message/send', code: 2, ms, address },
    { method: 'GET', call: 'none', code: 404, ms, address: '10.1.2.0/24' },
    { who: 'server', method: 'POST', call: '/setting/update', code: 0, ms },
  ]);
  await call(running, 'POST', '/setting/update', { audit_address: defaultSettings.audit_address });
});

test('at the level info no request is a line', async () => {
  const lines: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  const server = await createHttp(logger);
  logRequests(server, logger, () => defaultSettings);
  server.get('/', async () => 'answer');
  await server.inject('/');
  await server.close();
  expect(lines).toEqual([]);
});

test('a refusal is logged with its cause, if it has one', async () => {
  const lines: string[] = [];
  const server = await createHttp(pino({}, { write: (line: string) => void lines.push(line) }));
  server.get('/:cause', async (request) => {
    const cause = request.url === '/known' ? new Error('group-1 is in the way') : undefined;
    throw new Refusal('notReady', undefined, { cause });
  });
  for (const url of ['/none', '/known']) await server.inject(url);
  await server.close();
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/a request could not be carried out now/);
  expect(lines[0]).toMatch(/group-1 is in the way/);
});

test('of many attempts some are not logged, and their number is logged later', () => {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line));
  const security = createSecurityLog(pino({}, { write }));
  let now = 1_000;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  onTestFinished(() => clock.mockRestore());
  const attempt = () => security.attempt("a server's key was wrong", { address: '10.0.0.1' });
  for (let count = 0; count < 120; count++) attempt();
  expect(lines).toHaveLength(20);
  security.attempt('a socket was refused', { address: '10.0.0.1' });
  expect(lines).toHaveLength(21);
  now += 1_000;
  attempt();
  attempt();
  expect(lines.slice(21)).toMatchObject([{ msg: "a server's key was wrong", suppressed: 100 }]);
});

test('no password, token, key, SMS code or message is in the log, not even at the level that logs most', async () => {
  const phone = '13800001111';
  const friend = await person(running, '猫猫');
  await call(running, 'POST', '/service/send_sms', { phone, type: 'register' });
  const inbox = await running.server.inject({
    url: `/dev/sms?phone=${phone}`,
    headers: { 'x-app-key': testApp.key, 'x-app-secret': testApp.secret },
  });
  const code = z.object({ data: z.array(z.object({ code: z.string() })) }).parse(inbox.json()).data[0]?.code;
  const account = { username: 'tomcat', nickname: '汤姆', password: 'password-of-tom', phone, code };
  expect(await call(running, 'POST', '/login/join', account)).toEqual(done);
  const login = { username: 'tomcat', password: account.password };
  const { data } = await call(running, 'POST', '/login/login', login);
  const { token } = z.object({ token: z.string() }).parse(data);
  const bearer = { authorization: `Bearer ${token}` };
  const message = { to: friend.uid, type: 'friend', content: '这是秘密' };
  expect(await call(running, 'POST', '/message/send', message, bearer)).toMatchObject({ code: 0 });
  await call(running, 'GET', '/user/get', login);
  await call(running, 'POST', '/login/login', { ...login, password: 'wrong-password' });
  expect(await upload(bearer, new Blob([await picture('png')]))).toBe(0);
  expect(await upload({ cookie: `token=${token}` }, new Blob(['no picture']))).toBe(2);
  expect(await upload({ 'x-app-key': testApp.key, 'x-app-secret': testApp.secret }, new Blob(['x']))).toBe(2);

  const log = logged.join('');
  expect(log).not.toBe('');
  for (const secret of [account.password, 'wrong-password', token, testApp.secret, message.content]) {
    expect(log).not.toContain(secret);
  }
  // By itself, not within a time or an id.
  expect(log).not.toMatch(new RegExp(`(?<![\\da-f-])${code}(?![\\da-f-])`));
});
