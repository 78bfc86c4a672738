import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { call, person, refusedWith } from '../support/client.ts';
import { picture, sendForever, text, upload, uploaded, uploadsUnderWay } from '../support/uploading.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

describe('uploading', () => {
  test('needs a login, and says so before any other fault', async () => {
    const { answer } = await upload(running, { bytes: await picture('png'), headers: {} });
    expect(answer).toEqual(refusedWith(-1, '请先登录'));
  });

  test('needs a file, and for avatars to know whose', async () => {
    expect((await upload(running, {})).answer).toEqual(refusedWith(1, '缺少参数file'));
    const given = { path: '/upload/avatar', bytes: await picture('png') };
    expect((await upload(running, given)).answer).toEqual(refusedWith(1, '缺少参数login_uid'));
  });

  test('is refused by its switch', async () => {
    const bytes = await picture('png');
    await call(running, 'POST', '/setting/update', { upload_img: 'off', upload_file: 'off' });
    expect((await upload(running, { bytes })).answer.code).toBe(204);
    expect((await upload(running, { path: '/upload/file', bytes })).answer.code).toBe(203);
    await call(running, 'POST', '/setting/update', { upload_img: 'on', upload_file: 'on' });
  });

  test.each([
    ['/upload/img', 1],
    ['/upload/file', 2],
  ])('by %s ends at %i MB, and nothing stays of what was too large', async (path, megabytes) => {
    await call(running, 'POST', '/setting/update', { upload_img_mb: 1, upload_file_mb: 2 });
    const bytes = new Uint8Array(megabytes * 1024 * 1024 + 1);
    for (const extra of [0, 2_000_000]) {
      const { status, answer } = await upload(running, { path, bytes: new Uint8Array(bytes.length + extra) });
      expect([status, answer]).toEqual([413, refusedWith(413, `文件不能超过${megabytes}MB`)]);
    }
    await call(running, 'POST', '/setting/update', { upload_img_mb: 10, upload_file_mb: 50 });
    await expect.poll(() => uploadsUnderWay(running)).toEqual([]);
  });

  test('may have 100 parts, and no more', async () => {
    const fields = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, '']));
    const send = (count: number) =>
      upload(running, { fields: fields(count), bytes: text('x'), path: '/upload/file' });
    expect(await send(99)).toMatchObject({ status: 200, answer: { code: 0 } });
    expect(await send(100)).toMatchObject({ status: 413 });
    // Of far more parts no more are read, so that the answer may be lost.
    expect(await send(5_000).catch(() => ({ status: 413 }))).toMatchObject({ status: 413 });
    await expect.poll(() => uploadsUnderWay(running)).toEqual([]);
  });

  test('that breaks off leaves nothing', async () => {
    const sending = sendForever(running, text('the beginning'));
    await expect.poll(() => uploadsUnderWay(running)).toHaveLength(1);
    sending.destroy();
    await expect.poll(() => uploadsUnderWay(running)).toEqual([]);
  });

  test.each([
    ['no boundary', 'multipart/form-data', 'x'],
    ['no end', 'multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb'],
    ['other parts', 'multipart/form-data; boundary=x', 'what is this'],
  ])('of a body with %s is unreadable', async (_, type, body) => {
    const headers = { ...serverKey, 'content-type': type };
    const response = await fetch(`${running.url}/api/upload/img`, { method: 'POST', body, headers });
    expect([response.status, await response.json()]).toEqual([400, refusedWith(2, '请求内容无法解析')]);
  });

  test('of a picture as plain JSON is no upload', async () => {
    expect(await call(running, 'POST', '/upload/img', { file: 'abc' })).toEqual(
      refusedWith(2, '参数file不合法'),
    );
  });
});

test('what people uploaded is closed to other users of the machine', async () => {
  await uploaded(running, { bytes: await picture('png') });
  await uploaded(running, { path: '/upload/file', bytes: text('x') });
  const entries = await readdir(running.filesFolder, { recursive: true, withFileTypes: true });
  const modes = await Promise.all(
    entries.map(async (entry) => {
      const { mode } = await stat(join(entry.parentPath, entry.name));
      return `${entry.isDirectory() ? 'folder' : 'file'} ${(mode & 0o777).toString(8)}`;
    }),
  );
  expect(new Set(modes)).toEqual(new Set(['folder 700', 'file 600']));
});

describe('a multipart body elsewhere', () => {
  test('is read as a form, lists too', async () => {
    const [tom, jerry, spike] = await Promise.all(
      ['tom', 'jerry', 'spike'].map((name) => person(running, name)),
    );
    const body = new FormData();
    body.append('login_uid', String(tom?.uid));
    body.append('members[]', String(jerry?.uid));
    body.append('members[]', String(spike?.uid));
    const response = await fetch(`${running.url}/api/group/create`, {
      method: 'POST',
      body,
      headers: serverKey,
    });
    expect(await response.json()).toMatchObject({ code: 0, data: { groupname: '群聊(tom,jerry,spike)' } });
  });

  test('may hold no file and at most 256 KB', async () => {
    const given = { path: '/friend/apply', bytes: await picture('png') };
    expect((await upload(running, given)).answer).toEqual(refusedWith(2, '参数file不合法'));
    const send = (a: string) => upload(running, { path: '/friend/apply', fields: { a } });
    expect(await send('x'.repeat(261_000))).toMatchObject({ status: 200 });
    expect(await send('x'.repeat(262_144))).toMatchObject({ status: 413 });
  });

  test('that does not say how long it is ends at 256 KB, too', async () => {
    const endless = Readable.from(Array(5).fill(Buffer.alloc(60_000, 'x')));
    const response = await fetch(`${running.url}/api/friend/apply`, {
      ...{ method: 'POST', body: Readable.toWeb(endless), duplex: 'half' },
      headers: { ...serverKey, 'content-type': 'multipart/form-data; boundary=x' },
    });
    expect(response.status).toBe(413);
  });
});
