import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { defaultSettings } from '../../contracts/settings.ts';
import { tokenHash } from '../../services/accounts/token-hash.ts';
import { settingStream } from '../../services/domain/setting.ts';
import { ticketOf } from '../../services/gateway/connections/ticket.ts';
import { type RunningApplication, startApplication, testApp } from '../support/application.ts';
import { call, done, person, refusedWith } from '../support/client.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

const update = (changes: Record<string, unknown>) => call(running, 'POST', '/setting/update', changes);
const shown = async () => (await call(running, 'GET', '/pop/getsetting', {}, {})).data;
const Token = z.object({ token: z.string() });
const Home = z.object({ setting: z.object({ ws_address: z.string() }) });

test('a change is visible at once, and the rest stays', async () => {
  expect(await update({ voice: 'off', app_name: '猫和老鼠' })).toEqual(done);
  expect(await shown()).toMatchObject({ voice: 'off', app_name: '猫和老鼠', emoji: 'on' });
});

test('a switch that was switched off refuses in every process within the tail’s delay', async () => {
  const other = await running.another();
  const [tom, jerry] = [await person(running, 'tom'), await person(running, 'jerry')];
  await update({ add_friend: 'off' });
  expect(await tom.post('/friend/apply', { friend_uid: jerry.uid })).toMatchObject({ code: 202 });
  await expect
    .poll(async () => (await other.store.load(settingStream)).state)
    .toMatchObject({ add_friend: 'off' });
  await update({ add_friend: 'on' });
});

test('numbers may arrive as digits, and other texts are refused by name', async () => {
  const form = { method: 'POST', url: '/api/setting/update' } as const;
  const headers = {
    'x-app-key': 'test-key',
    'x-app-secret': testApp.secret,
    'content-type': 'application/x-www-form-urlencoded',
  };
  const answer = await running.server.inject({ ...form, headers, payload: 'revoke_seconds=300' });
  expect(answer.json()).toEqual(done);
  for (const revoke_seconds of ['1e3', '0', '-5', '1.5', 'viel', 2_000_000_000]) {
    expect(await update({ revoke_seconds })).toEqual(refusedWith(2, '参数revoke_seconds不合法'));
  }
});

test.each([
  ['voice', 'yes'],
  ['voice', 1],
  ['app_name', '名'.repeat(65)],
  ['ws_address', 'x'.repeat(256)],
  ['origins', '\0'],
  ['dirty_words', ['a']],
])('%s is not set to %j, nor is what comes with it', async (name, value) => {
  expect(await update({ prompt_tone: 'off', [name]: value })).toEqual(refusedWith(2, `参数${name}不合法`));
  expect(await shown()).toMatchObject({ prompt_tone: 'on' });
});

test('a change of nothing lacks something', async () => {
  expect(await update({ unknown: 'on' })).toMatchObject({ code: 1 });
});

test('what only servers may know is in no answer to people', async () => {
  await update({ dirty_words: '坏话', origins: 'https://friend.example' });
  const text = JSON.stringify(await shown());
  expect(text).not.toContain('坏话');
  expect(text).not.toContain('friend.example');
  expect(text).not.toContain(testApp.secret);
});

test('the server’s key gets every setting with its value and its default', async () => {
  await update({ dirty_words: '坏话', limit_sms_address: 600 });
  const { data } = await call(running, 'GET', '/setting/get');
  expect(data).toMatchObject({
    dirty_words: { value: '坏话', default: '' },
    limit_sms_address: { value: 600, default: 60 },
    register: { value: 'on', default: 'on' },
    token_days: { value: 30, default: 30 },
  });
  expect(Object.keys(Object(data)).sort()).toEqual(Object.keys(defaultSettings).sort());
  expect(await call(running, 'GET', '/setting/get', {}, {})).toMatchObject({ code: -1 });
});

test('a person’s token neither changes settings nor reads the private ones', async () => {
  const account = { username: 'settertom', nickname: 'tom', password: 'secret-1' };
  await call(running, 'POST', '/user/add', account);
  const { token } = Token.parse((await call(running, 'POST', '/login/login', account, {})).data);
  const headers = { authorization: `Bearer ${token}` };
  expect(await call(running, 'POST', '/setting/update', { voice: 'off' }, headers)).toMatchObject({
    code: 2,
  });
  expect(await call(running, 'GET', '/setting/get', {}, headers)).toMatchObject({ code: 2 });
  expect(await call(running, 'POST', '/setting/update', { voice: 'off' }, {})).toMatchObject({ code: -1 });
});

test('ws_address of pop/get carries a ticket of the session if that is switched on, and getsetting none', async () => {
  const account = { username: 'ticketed', nickname: 'tom', password: 'secret-1' };
  await call(running, 'POST', '/user/add', account);
  const { token } = Token.parse((await call(running, 'POST', '/login/login', account, {})).data);
  const home = async () =>
    Home.parse((await call(running, 'GET', '/pop/get', {}, { authorization: `Bearer ${token}` })).data)
      .setting.ws_address;
  const plain = await home();
  await update({ ws_ticket: 'on' });
  expect(await home()).toBe(`${plain}/ticket/${ticketOf(testApp, tokenHash(token))}`);
  expect(await shown()).toMatchObject({ ws_address: plain });
  await update({ ws_ticket: 'off' });
  expect(await home()).toBe(plain);
});
