import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { call, person } from '../support/client.ts';
import { download, picture, plain, upload, uploaded } from '../support/uploading.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

const text = (words: string) => new TextEncoder().encode(words);

describe('pictures', () => {
  test.each(['png', 'jpeg', 'gif', 'webp'] as const)('of kind %s come back as that kind', async (kind) => {
    const { src } = await uploaded(running, { bytes: await picture(kind), name: '不看名字.txt' });
    expect(src).toMatch(/^\/\/127\.0\.0\.1:\d+\/upload\/images\/\d{6}\/[0-9a-f]{32}\.(png|jpg|gif|webp)$/);
    const response = await download(src);
    expect(response.headers.get('content-type')).toBe(`image/${kind}`);
    expect(response.headers.get('content-disposition')).toBeNull();
    const { format, width, height } = await sharp(await response.arrayBuffer()).metadata();
    expect({ format, width, height }).toEqual({ format: kind, width: 40, height: 30 });
  });

  test('are told by the name they came with, in any writing, and the size of the bytes received', async () => {
    const bytes = await picture('png', { width: 300, height: 300 });
    const { name, size } = await uploaded(running, { bytes, name: '..\\目录/我的 图片😀.png' });
    expect(name).toBe('我的 图片😀.png');
    expect(size).toBe(`${(bytes.length / 1024).toFixed(2)} KB`);
  });

  test('carry no metadata and nothing behind their end, and stand upright', async () => {
    const source = sharp({ create: { width: 40, height: 30, channels: 3, background: '#123456' } });
    const tagged = source
      .jpeg()
      .withExif({ IFD0: { Copyright: 'GPS 31.2,121.5' } })
      .withMetadata({ orientation: 6 });
    const bytes = new Uint8Array([...(await plain(tagged)), ...text('<script>alert(1)</script>')]);
    const { src } = await uploaded(running, { bytes });
    const back = Buffer.from(await (await download(src)).arrayBuffer());
    const { exif, icc, xmp, orientation, width, height } = await sharp(back).metadata();
    expect({ exif, icc, xmp, orientation }).toEqual({});
    expect({ width, height }).toEqual({ width: 30, height: 40 });
    expect(back.includes('script')).toBe(false);
  });

  test.each(['gif', 'webp'] as const)('that move (%s) still move', async (kind) => {
    const frames = await Promise.all(
      ['#f00', '#0f0', '#00f'].map((background) =>
        sharp({ create: { width: 20, height: 20, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    );
    const moving = sharp(frames, { join: { animated: true } });
    const bytes = await plain(
      kind === 'gif' ? moving.gif({ delay: [100, 200, 300] }) : moving.webp({ delay: [100, 200, 300] }),
    );
    const { src } = await uploaded(running, { bytes });
    const { pages, delay } = await sharp(await (await download(src)).arrayBuffer(), {
      animated: true,
    }).metadata();
    expect({ pages, delay }).toEqual({ pages: 3, delay: [100, 200, 300] });
  });

  test.each([
    ['text', text('<script>alert(1)</script>')],
    ['an SVG', text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')],
    ['nothing', new Uint8Array()],
    [
      'the beginning of a PNG alone',
      new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82]),
    ],
  ])('are refused where the bytes are %s, whatever the name', async (_, bytes) => {
    const { status, answer } = await upload(running, { bytes, name: 'picture.png' });
    expect(status).toBe(200);
    expect(answer.code).toBe(2);
  });

  test('cut off in the middle are refused', async () => {
    const bytes = await picture('jpeg', { width: 600, height: 600 });
    expect((await upload(running, { bytes: bytes.slice(0, bytes.length / 2) })).answer.code).toBe(2);
  });

  test('of very many pixels in few bytes are refused before they are unpacked', async () => {
    const bomb = await picture('png', { width: 12_000, height: 12_000 });
    expect(bomb.length).toBeLessThan(3_000_000);
    expect((await upload(running, { bytes: bomb })).answer).toMatchObject({ code: 2 });
  });
});

describe('avatars', () => {
  test('lie under their owner and change no profile', async () => {
    const tom = await person(running, 'tom');
    const { src } = await uploaded(running, {
      ...{ path: '/upload/avatar', bytes: await picture('jpeg') },
      fields: { login_uid: String(tom.uid) },
    });
    expect(src).toMatch(new RegExp(`/upload/avatars/${tom.uid}/[0-9a-f]{32}\\.jpg$`));
    expect((await tom.get('/user/get', { uid: tom.uid })).data).toMatchObject({
      avatar: '/static/img/avatar.jpg',
    });
  });

  test('of a camera’s size are made smaller, in their proportions', async () => {
    const tom = await person(running, 'tom');
    const { src } = await uploaded(running, {
      ...{ path: '/upload/avatar', bytes: await picture('jpeg', { width: 3000, height: 1500 }) },
      fields: { login_uid: String(tom.uid) },
    });
    const { width, height } = await sharp(await (await download(src)).arrayBuffer()).metadata();
    expect([width, height]).toEqual([1024, 512]);
  });

  test('name their owner after the file as well as before it', async () => {
    const tom = await person(running, 'tom');
    const body = new FormData();
    body.append('file', new Blob([await picture('png')]), 'a.png');
    body.append('login_uid', String(tom.uid));
    const answer = await fetch(`${running.url}/api/upload/avatar`, {
      method: 'POST',
      body,
      headers: serverKey,
    });
    expect(await answer.json()).toMatchObject({
      code: 0,
      data: { src: expect.stringContaining(`/avatars/${tom.uid}/`) },
    });
  });

  test('of who has none are a picture of ours', async () => {
    const response = await fetch(`${running.url}/static/img/avatar.jpg`);
    expect(response.headers.get('content-type')).toBe('image/jpeg');
    expect((await sharp(await response.arrayBuffer()).metadata()).format).toBe('jpeg');
  });
});

describe('files', () => {
  test('come back byte for byte, as an attachment that no browser runs', async () => {
    const bytes = text('<html><script>alert(document.cookie)</script>\0\xff');
    const { src, name, size } = await uploaded(running, { path: '/upload/file', bytes, name: '合同.html' });
    expect({ name, size }).toEqual({ name: '合同.html', size: `${bytes.length} B` });
    const response = await download(src);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-disposition': 'attachment',
      'content-type': 'application/octet-stream',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    });
  });

  test('are given in parts, and not again to who has them', async () => {
    const { src } = await uploaded(running, { path: '/upload/file', bytes: text('0123456789') });
    const part = await download(src, { range: 'bytes=2-4' });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      'bytes 2-4/10',
      '234',
    ]);
    expect(await (await download(src, { range: 'bytes=-3' })).text()).toBe('789');
    expect(await (await download(src, { range: 'bytes=7-' })).text()).toBe('789');
    expect((await download(src, { range: 'bytes=10-' })).status).toBe(416);
    const { headers } = await download(src);
    expect((await download(src, { 'if-none-match': headers.get('etag') ?? '' })).status).toBe(304);
  });

  test('tell their size to who asks for nothing else', async () => {
    const { src } = await uploaded(running, { path: '/upload/file', bytes: text('0123456789') });
    const { status, headers } = await fetch(`http:${src}`, { method: 'HEAD' });
    expect([status, headers.get('content-length')]).toEqual([200, '10']);
  });

  test('may be empty', async () => {
    const { src, size } = await uploaded(running, { path: '/upload/file', bytes: text(''), name: '空.txt' });
    expect(size).toBe('0 B');
    expect(await (await download(src)).text()).toBe('');
  });

  test.each([
    '/upload/files/202104/nothing.png',
    `/upload/files/202104/${'0'.repeat(32)}.png`,
    '/upload/..%2f..%2fincoming',
    '/upload/%2e%2e/%2e%2e/lock',
    '/upload/files',
    '/upload/',
  ])('%s is not found, in the envelope', async (path) => {
    const response = await fetch(running.url + path);
    expect([response.status, await response.json()]).toEqual([404, expect.objectContaining({ code: 404 })]);
  });
});

describe('uploading', () => {
  test('needs a login, and says so whatever comes', async () => {
    const { answer } = await upload(running, { bytes: await picture('png'), headers: {} });
    expect(answer).toEqual({ code: -1, msg: '请先登录' });
  });

  test('needs a file, and for avatars to know whose', async () => {
    expect((await upload(running, {})).answer).toEqual({ code: 1, msg: '缺少参数file' });
    const given = { path: '/upload/avatar', bytes: await picture('png') };
    expect((await upload(running, given)).answer).toEqual({ code: 1, msg: '缺少参数login_uid' });
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
      expect([status, answer]).toEqual([413, { code: 413, msg: `文件不能超过${megabytes}MB` }]);
    }
    await call(running, 'POST', '/setting/update', { upload_img_mb: 10, upload_file_mb: 50 });
    await expect.poll(() => waitingFiles()).toEqual([]);
  });

  test('that breaks off leaves nothing', async () => {
    const sending = request(`${running.url}/api/upload/file`, {
      method: 'POST',
      headers: { ...serverKey, 'content-type': 'multipart/form-data; boundary=x', 'content-length': 100_000 },
    });
    sending.on('error', () => undefined);
    sending.write(
      '--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\nthe beginning',
    );
    await expect.poll(() => waitingFiles()).toHaveLength(1);
    sending.destroy();
    await expect.poll(() => waitingFiles()).toEqual([]);
  });

  test.each([
    ['no boundary', 'multipart/form-data', 'x'],
    ['no end', 'multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb'],
    ['other parts', 'multipart/form-data; boundary=x', 'what is this'],
  ])('of a body with %s is unreadable', async (_, type, body) => {
    const headers = { ...serverKey, 'content-type': type };
    const response = await fetch(`${running.url}/api/upload/img`, { method: 'POST', body, headers });
    expect([response.status, await response.json()]).toEqual([400, { code: 2, msg: '请求内容无法解析' }]);
  });

  test('of a picture as plain JSON is no upload', async () => {
    expect(await call(running, 'POST', '/upload/img', { file: 'abc' })).toEqual({
      code: 2,
      msg: '参数file不合法',
    });
  });
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

  test('may bring no file, and no more than 2 MB', async () => {
    const given = { path: '/friend/apply', bytes: await picture('png') };
    expect((await upload(running, given)).answer).toEqual({ code: 2, msg: '参数file不合法' });
    const fields = { a: 'x'.repeat(1_500_000), b: 'x'.repeat(1_500_000) };
    expect(await upload(running, { path: '/friend/apply', fields })).toMatchObject({ status: 413 });
  });
});

function waitingFiles(): Promise<string[]> {
  return readdir(join(running.filesFolder, 'incoming'));
}
