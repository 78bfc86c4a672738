import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { type Auditor, startAuditor } from '../../services/audit/auditor.ts';
import { Heads, signHead } from '../../services/audit/tree/heads.ts';
import { signingKey, verifierOf } from '../../services/audit/tree/note.ts';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { signer } from '../support/audited-tree.ts';
import { type Person, refusedWith, two } from '../support/client.ts';
import { silent } from '../support/projecting.ts';
import { picture } from '../support/uploading.ts';

let running: RunningApplication;
let auditor: Auditor;
let tom: Person;
let jerry: Person;

beforeAll(async () => {
  running = await startApplication({ auditVerifier: verifierOf(signer) });
  [tom, jerry] = await two(running);
  await tom.post('/friend/add', { friend_uid: jerry.uid });
  const { log } = running.application;
  auditor = await startAuditor({ log, database: running.databaseUrl, logger: silent });
});

afterAll(async () => {
  await auditor.stop();
  await running.stop();
});

async function ask(
  url: string,
  query: Record<string, string> = {},
  headers: Record<string, string> = serverKey,
) {
  return (await running.server.inject({ url, query, headers })).json();
}

/** Asks for an answer that grows. @returns its lines, without empty ones; it ends with the test */
async function listen(path: string) {
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  const answer = await fetch(`${running.url}${path}`, { headers: serverKey, signal: ending.signal });
  expect(answer.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
  if (answer.body === null) throw new Error('no body');
  const lines = createInterface({ input: Readable.fromWeb(answer.body) });
  lines.on('error', () => undefined);
  const iterator = lines[Symbol.asyncIterator]();
  return async (): Promise<Record<string, unknown>> => {
    for (;;) {
      const { value, done } = await iterator.next();
      if (done === true) return { ended: true };
      if (value !== '') return z.record(z.string(), z.unknown()).parse(JSON.parse(value));
    }
  };
}

/** What came of verifying the log: the last line of the answer. */
async function verified(): Promise<Record<string, unknown>> {
  const next = await listen('/audit/verify');
  let last: Record<string, unknown> = {};
  for (let line = await next(); line.ended !== true; line = await next()) last = line;
  return last;
}

const say = (content: string) => tom.post('/message/send', { to: jerry.uid, type: 'friend', content });

describe('a stream', () => {
  test('is shown at each of its revisions, with the event that led there', async () => {
    await running.server.inject({
      ...{ method: 'POST', url: '/api/setting/update', headers: serverKey, payload: { revoke_seconds: 7 } },
    });
    await running.server.inject({
      ...{ method: 'POST', url: '/api/setting/update', headers: serverKey, payload: { revoke_seconds: 8 } },
    });
    const first = await ask('/audit/stream', { stream: 'setting', revision: '0' });
    expect(first.data).toMatchObject({ revision: 0, last: 1, folded: true, state: { revoke_seconds: 7 } });
    expect(first.data.event).toMatchObject({ type: 'SettingsChanged', words: 'set revoke_seconds to "7"' });
    const last = await ask('/audit/stream', { stream: 'setting' });
    expect(last.data).toMatchObject({ revision: 1, last: 1, state: { revoke_seconds: 8 } });
  });

  test('of two people has their friendship as its state, and one that is not folded has none', async () => {
    const [lower, higher] = [tom.uid, jerry.uid].sort((one, other) => one - other);
    const friendship = await ask('/audit/stream', { stream: `friendship-${lower}-${higher}` });
    expect(friendship.data).toMatchObject({ folded: true, state: expect.any(Object) });
    await say('一');
    const conversation = await ask('/audit/stream', { stream: `conversation-f${lower}-${higher}` });
    expect(conversation.data).toMatchObject({ folded: false, event: { type: 'MessageSent' } });
    expect(conversation.data.state).toBeNull();
  });

  test('that is not in the log, a revision beyond its end and an impossible name are refused', async () => {
    expect(await ask('/audit/stream', { stream: 'group-999999999' })).toMatchObject({ code: 3 });
    expect(await ask('/audit/stream', { stream: 'setting', revision: '99' })).toMatchObject({ code: 3 });
    expect(await ask('/audit/stream', { stream: '$all' })).toEqual(
      refusedWith(2, '参数stream不合法: must be the name of a stream, as group-123456789'),
    );
    expect(await ask('/audit/stream', {})).toEqual(refusedWith(1, '缺少参数stream'));
  });
});

describe('live events', () => {
  test('come as they are stored, those alone that are asked for', async () => {
    const next = await listen(`/audit/live?type=MessageSent&about=${tom.uid}`);
    expect(await next()).toEqual({ after: expect.any(String) });
    await say('现在');
    expect(await next()).toMatchObject({
      type: 'MessageSent',
      acted_for: tom.uid,
      data: { content: '现在' },
    });
  });

  test('are for the server’s key, and a filter that cannot be read is refused', async () => {
    expect(await ask('/audit/live', {}, {})).toMatchObject({ code: 2 });
    expect(await ask('/audit/live', { mid: 'x' })).toEqual(
      refusedWith(2, '参数mid不合法: must be a whole number from 1 on'),
    );
    const { msg } = await ask('/audit/live', { midd: '9' });
    expect(msg).toContain('参数midd不合法: audit/live has no such parameter: it takes stream,');
  });

  test('are given to 10 listeners at once, and again to another once one is gone', async () => {
    const listeners = Array.from({ length: 10 }, () => new AbortController());
    onTestFinished(() => {
      for (const one of listeners) one.abort();
    });
    const url = `${running.url}/audit/live`;
    await Promise.all(listeners.map(({ signal }) => fetch(url, { headers: serverKey, signal })));
    expect(await ask('/audit/live')).toMatchObject({ code: 429 });
    listeners.shift()?.abort();
    await vi.waitFor(async () => {
      const controller = new AbortController();
      listeners.push(controller);
      const { status } = await fetch(url, { headers: serverKey, signal: controller.signal });
      expect(status).toBe(200);
    });
  });
});

test('the log is verified, with how far it is and what came of it', async () => {
  const { log } = running.application;
  const end = await log.end();
  await vi.waitUntil(() => auditor.status().checkpoint >= end, { timeout: 15_000 });
  const next = await listen('/audit/verify');
  expect(await next()).toMatchObject({ read: 0, total: expect.any(Number) });
  const lines: Record<string, unknown>[] = [];
  for (let line = await next(); line.ended !== true; line = await next()) lines.push(line);
  expect(lines.at(-1)).toEqual({
    same: true,
    words: expect.stringMatching(/^The log is as it was: \d+ events/),
  });
  const { pool } = running.application;
  await pool.query(`update audit.events set type = 'Another' where number = 0`);
  onTestFinished(async () => {
    await pool.query(`update audit.events set type = 'UserRegistered' where number = 0`);
  });
  expect(await verified()).toMatchObject({ same: false });
});

test('a parameter that verifying the log does not know is refused', async () => {
  expect(await ask('/audit/verify', { x: '1' })).toEqual(
    refusedWith(2, '参数x不合法: audit/verify has no such parameter: it takes none'),
  );
});

test('a stored head is held against the key of the installation', async () => {
  const { log, pool } = running.application;
  const end = await log.end();
  await vi.waitUntil(() => auditor.status().checkpoint >= end, { timeout: 15_000 });
  const { words } = z.object({ words: z.string() }).parse(await verified());
  const [, size, root] = /^The log is as it was: (\d+) events.* Root: (\S+)$/.exec(words) ?? [];
  const head = { size: Number(size), root: Buffer.from(root ?? '', 'base64') };
  const heads = new Heads(pool, signer.name);
  onTestFinished(async () => {
    await pool.query('delete from audit.heads');
  });
  await heads.add(head.size, signHead(signer, head));
  expect(await verified()).toMatchObject({ same: true, words: expect.not.stringContaining('not verified') });
  await pool.query('delete from audit.heads');
  await heads.add(head.size, signHead({ ...signer, key: signingKey(randomBytes(32)) }, head));
  expect(await verified()).toMatchObject({ same: false, words: expect.stringMatching(/^HEAD NOT SIGNED/) });
});

test('uploads are listed with who uploaded them, and all of one person', async () => {
  const body = new FormData();
  body.set('file', new Blob([await picture('png')]), '图.png');
  const answer = await fetch(`${running.url}/api/upload/img?login_uid=${tom.uid}`, {
    ...{ method: 'POST', body, headers: serverKey },
  });
  expect(await answer.json()).toMatchObject({ code: 0 });
  const { data } = await ask('/audit/uploads', { uid: `${tom.uid}` });
  expect(data).toMatchObject({ count: 1, uploads: [{ uid: tom.uid, name: '图.png' }] });
  expect(data.bytes).toBe(data.uploads[0].bytes);
  expect((await ask('/audit/uploads', { uid: `${jerry.uid}` })).data).toEqual({
    uploads: [],
    count: 0,
    bytes: 0,
  });
  expect((await ask('/audit/uploads', { start: '1' })).data.uploads).toEqual([]);
});

test('the development inbox shows the last codes of all phones', async () => {
  for (const phone of ['13800000001', '13800000002']) {
    await running.server.inject({
      method: 'POST',
      url: '/api/service/send_sms',
      payload: { phone, type: 'register' },
    });
  }
  const { data } = await ask('/dev/sms');
  expect(data.map(({ phone }: { phone: string }) => phone)).toEqual(['13800000002', '13800000001']);
});

test('the status of the system counts what the process does', async () => {
  const before = await ask('/system/status');
  expect(before).toMatchObject({ code: 0, data: { sockets: null, followers: expect.any(Array) } });
  await say('数一数');
  const { data } = await ask('/system/status');
  expect(data.counted.appends).toBeGreaterThan(before.data.counted.appends);
  expect(data.counted.calls).toBeGreaterThan(before.data.counted.calls);
  expect(data.log.extent).toBeGreaterThan(before.data.log.extent);
  expect(data.followers.map(({ name }: { name: string }) => name)).toEqual(['audit', 'read']);
  expect(data.sizes.map(({ schema }: { schema: string }) => schema)).toContain('log');
  expect(data.connections.map(({ name }: { name: string }) => name)).toContain('bubble-im');
  expect(await ask('/system/status', {}, {})).toMatchObject({ code: -1 });
});
