import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { streamName } from '../../services/domain/aggregate.ts';
import { decode } from '../../services/log/codec.ts';
import { type RunningApplication, serverKey, startApplication, testApp } from '../support/application.ts';
import { call } from '../support/client.ts';
import { uploaded } from '../support/uploading.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

let accounts = 0;
const passwords = ['first-secret-1', 'second-secret-2', 'wrong-secret-3'] as const;

async function registered() {
  const username = `visitor${++accounts}x${process.pid}`;
  const account = { username, nickname: 'visitor', password: passwords[0] };
  const { uid } = z.object({ uid: z.int() }).parse((await call(running, 'POST', '/user/add', account)).data);
  return { uid, username };
}

const login = (username: string, password: string) =>
  call(running, 'POST', '/login/login', { username, password }, {});

async function tokenOf(username: string, password: string = passwords[0]) {
  return z.object({ token: z.string() }).parse((await login(username, password)).data).token;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function read(stream: string) {
  const records = [];
  for await (const record of running.application.log.readStream(streamName(stream))) records.push(record);
  return records;
}

/** The events of a stream of access, as soon as it has `count`. */
async function recorded(stream: string, count: number) {
  await vi.waitUntil(async () => (await read(stream)).length >= count, { timeout: 10_000 });
  return (await read(stream)).map(decode);
}

describe('what a person does to their account', () => {
  test('is recorded in their stream of access, by session, and without a secret', async () => {
    const { uid, username } = await registered();
    const stream = `access-${uid}`;
    const token = await tokenOf(username);
    expect((await login(username, passwords[2])).code).toBe(2);
    await call(running, 'POST', '/user/update', { sign: 'here' }, bearer(token));
    const change = { password_old: passwords[0], password1: passwords[1], password2: passwords[1] };
    expect((await call(running, 'POST', '/user/updatepassword', change, bearer(token))).code).toBe(0);
    const second = await tokenOf(username, passwords[1]);
    expect((await call(running, 'POST', '/login/logout', {}, bearer(second))).code).toBe(0);
    await call(running, 'POST', '/user/update', { login_uid: uid, account_state: 'disabled' });
    await call(running, 'POST', '/user/update', { login_uid: uid, password: passwords[2] });

    const events = await recorded(stream, 7);
    const session = expect.stringMatching(/^[0-9a-f]{16}$/);
    expect(events.map(({ type, data }) => [type, data])).toEqual([
      ['LoggedIn', { uid, session }],
      ['LoginFailed', { uid }],
      ['PasswordChanged', { uid, by: 'password' }],
      ['LoggedIn', { uid, session }],
      ['SessionEnded', { uid, session, why: 'logout' }],
      ['SessionEnded', { uid, session: null, why: 'account disabled' }],
      ['PasswordChanged', { uid, by: 'server' }],
    ]);
    const [first, , , again, ended] = events.map(({ data }) =>
      'session' in data ? data.session : undefined,
    );
    expect(again).not.toBe(first);
    expect(ended).toBe(again);
    const actors = events.map(({ metadata }) => metadata.actor);
    const own = String(uid);
    expect(actors).toEqual([own, 'nobody', own, own, own, 'server', 'server']);
    expect(events[0]?.metadata).toMatchObject({
      address: '127.0.0.0/24',
      $correlationId: expect.any(String),
    });
    const changes = (await read(`user-${uid}`)).map(({ metadata }) => metadata.session);
    expect(changes).toContain(first);
    const texts = JSON.stringify((await read(stream)).map(({ raw: { data, metadata } }) => [data, metadata]));
    for (const secret of [...passwords, token, second, username]) expect(texts).not.toContain(secret);
  });

  test('is recorded for an upload, with its size and place', async () => {
    const { uid, username } = await registered();
    const token = await tokenOf(username);
    const bytes = new TextEncoder().encode('hello');
    const file = { path: '/upload/file', bytes, name: 'a private name.txt', headers: bearer(token) };
    const { src } = await uploaded(running, file);
    const [, upload] = await recorded(`access-${uid}`, 2);
    expect(upload).toMatchObject({ type: 'FileUploaded', data: { uid, bytes: 5 } });
    expect(src).toContain(String(upload?.type === 'FileUploaded' && upload.data.path));
  });
});

describe('a login under a name that nobody has', () => {
  test('is recorded as nobody’s, without the name', async () => {
    const name = `unknown${process.pid}`;
    expect((await login(name, passwords[2])).code).toBe(2);
    const [failed] = await recorded('access', 1);
    expect(failed).toMatchObject({ type: 'LoginFailed', data: { uid: null }, metadata: { actor: 'nobody' } });
    expect(JSON.stringify(await read('access'))).not.toContain(name);
  });
});

describe('a question about the past', () => {
  test('is recorded with the key that asked it, and what was asked', async () => {
    const { uid } = await registered();
    const question = `account ${uid}`;
    const answer = await running.server.inject({
      url: '/audit/explain',
      query: { question },
      headers: serverKey,
    });
    expect(answer.json()).toMatchObject({ code: 0 });
    const isUse = ({ type }: { readonly type: string }) => type === 'AuditUsed';
    await vi.waitUntil(async () => (await read('access')).some(isUse), { timeout: 10_000 });
    const [use] = (await read('access')).filter(isUse);
    expect(use?.data).toMatchObject({ command: '/audit/explain' });
    expect(use?.data.arguments).toContain(`question=${question}`);
    expect(use?.metadata).toMatchObject({ actor: 'server', key: testApp.key });
  });
});

describe('the record of access', () => {
  test('moves no read model: the checkpoint of the projector stays, and nothing is to come', async () => {
    const { username } = await registered();
    await running.shown();
    const { checkpoint } = running.application.progress;
    await tokenOf(username);
    await vi.waitUntil(async () => (await running.application.log.end()) > checkpoint, { timeout: 10_000 });
    expect(running.projector.status().fault).toBeUndefined();
    expect(running.application.progress.checkpoint).toBe(checkpoint);
  });
});
