import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Uid } from '../../contracts/ids.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { call, type Person, refusedWith, two } from '../support/client.ts';
import { picture, sendForever, upload, uploadsUnderWay } from '../support/uploading.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

describe('space', () => {
  const megabyte = new Uint8Array(1024 * 1024);
  const set = (settings: Record<string, number>) => call(running, 'POST', '/setting/update', settings);

  test('is used up by a person’s uploads of every kind, and further ones are refused before they are stored', async () => {
    const [tom, jerry] = await two(running);
    const by = ({ uid }: Person, path: string, bytes: Uint8Array<ArrayBuffer>) =>
      upload(running, { path, bytes, fields: { login_uid: String(uid) } });
    await set({ upload_quota_mb: 2 });
    for (const path of ['/upload/img', '/upload/avatar']) {
      expect((await by(tom, path, await picture('png'))).answer.code).toBe(0);
    }
    expect((await by(tom, '/upload/file', megabyte)).answer.code).toBe(0);
    const stored = await storedFiles();
    const refused = { status: 200, answer: refusedWith(207, '上传空间已用完') };
    expect(await by(tom, '/upload/file', megabyte)).toEqual(refused);
    expect(await storedFiles()).toEqual(stored);
    expect((await by(jerry, '/upload/file', megabyte)).answer.code).toBe(0);
    await set({ upload_quota_mb: 10_000 });
    expect((await by(tom, '/upload/file', megabyte)).answer.code).toBe(0);
  });

  test('that is used up is reported before a body is read', async () => {
    const username = `full${process.pid}`;
    const account = { username, nickname: '满', password: 'secret-1' };
    const { uid } = z
      .object({ uid: z.int() })
      .parse((await call(running, 'POST', '/user/add', account)).data);
    const { token } = z
      .object({ token: z.string() })
      .parse((await call(running, 'POST', '/login/login', account, {})).data);
    await set({ upload_quota_mb: 1 });
    const headers = { authorization: `Bearer ${token}` };
    const full = { path: '/upload/file', bytes: megabyte, headers };
    expect((await upload(running, full)).answer.code).toBe(0);
    expect(await running.application.uploads.usedBy(Uid.parse(uid))).toBe(megabyte.length);
    const sending = sendForever(running, new Uint8Array(100), headers);
    const answered = await new Promise<number | undefined>((resolve) =>
      sending.on('response', ({ statusCode }) => resolve(statusCode)),
    );
    expect(answered).toBe(200);
    sending.destroy();
    await set({ upload_quota_mb: 10_000 });
  });

  test('of the disk is reserved: uploads are refused first, while messages are sent', async () => {
    const [tom, jerry] = await two(running);
    await set({ upload_reserve_mb: 1_000_000_000 });
    const msg = '服务器存储空间不足,暂时不能上传';
    for (const path of ['/upload/img', '/upload/file']) {
      const given = { path, bytes: await picture('png') };
      expect(await upload(running, given)).toEqual({ status: 507, answer: refusedWith(507, msg) });
    }
    expect(await uploadsUnderWay(running)).toEqual([]);
    const sent = await tom.post('/message/send', { to: jerry.uid, type: 'friend', content: '还能发' });
    expect(sent.code).toBe(0);
    await set({ upload_reserve_mb: 1_000 });
  });

  test('is reserved by at most 20 uploads of a person at once', async () => {
    const account = { username: `many${process.pid}`, nickname: '多', password: 'secret-1' };
    await call(running, 'POST', '/user/add', account);
    const { token } = z
      .object({ token: z.string() })
      .parse((await call(running, 'POST', '/login/login', account, {})).data);
    const headers = { authorization: `Bearer ${token}` };
    const sending = Array.from({ length: 20 }, () => sendForever(running, new Uint8Array(10), headers));
    await expect.poll(() => uploadsUnderWay(running)).toHaveLength(20);
    const given = { path: '/upload/file', bytes: megabyte, headers };
    expect((await upload(running, given)).answer.code).toBe(429);
    for (const one of sending) one.destroy();
    await expect.poll(() => uploadsUnderWay(running)).toEqual([]);
    expect((await upload(running, given)).answer.code).toBe(0);
  });
});

function storedFiles(): Promise<string[]> {
  return readdir(join(running.filesFolder, 'upload'), { recursive: true });
}
