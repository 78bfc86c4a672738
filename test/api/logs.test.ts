import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningApplication, startApplication, testApp } from '../support/application.ts';
import { call, done, person } from '../support/client.ts';
import { picture } from '../support/uploading.ts';

const told: string[] = [];
let running: RunningApplication;

beforeAll(async () => {
  const stream = new Writable({
    write(line, _encoding, next) {
      told.push(String(line));
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

test('no password, token, key, SMS code or message stands in the log, however much of it is asked for', async () => {
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

  const log = told.join('');
  expect(log).not.toBe('');
  for (const secret of [account.password, 'wrong-password', token, testApp.secret, message.content]) {
    expect(log).not.toContain(secret);
  }
  // By itself, not within a time or an id.
  expect(log).not.toMatch(new RegExp(`(?<![\\da-f-])${code}(?![\\da-f-])`));
});
