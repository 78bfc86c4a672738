import { readdir, stat } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Uid } from '../../contracts/ids.ts';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { call, type Person, person, two } from '../support/client.ts';
import { pictureProcesses } from '../support/picture-processes.ts';
import { download, gif, picture, plain, upload, uploaded } from '../support/uploading.ts';

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

  test('as WebP stand upright, too', async () => {
    const source = sharp({ create: { width: 40, height: 30, channels: 3, background: '#123456' } });
    const bytes = await plain(source.webp().withMetadata({ orientation: 6 }));
    const { src } = await uploaded(running, { bytes });
    const { orientation, width, height } = await sharp(await (await download(src)).arrayBuffer()).metadata();
    expect({ orientation, width, height }).toEqual({ width: 30, height: 40 });
  });

  test.each([
    ['144 million pixels', () => picture('png', { width: 12_000, height: 12_000 }), '图片不能超过6400万像素'],
    [
      '16,385 pixels of width',
      () => picture('png', { width: 16_385, height: 1 }),
      '图片的宽和高不能超过16384像素',
    ],
    [
      '16,385 pixels of height',
      () => picture('png', { width: 1, height: 16_385 }),
      '图片的宽和高不能超过16384像素',
    ],
    ['600,000 frames', async () => gif({ frames: 600_000 }), '动图不能超过1000帧'],
    [
      '64,008,000 pixels in 1,000 frames',
      async () => gif({ frames: 1_000, width: 252, height: 254 }),
      '所有帧的像素总数不能超过6400万像素',
    ],
  ])('of %s are told to be too large', async (_, make, msg) => {
    const bomb = await make();
    expect(bomb.length).toBeLessThan(10_000_000);
    expect(await upload(running, { bytes: bomb })).toEqual({ status: 413, answer: { code: 413, msg } });
  });

  test('of 16,384 pixels a side, and of 1,000 frames, are taken', async () => {
    await uploaded(running, { bytes: await picture('png', { width: 16_384, height: 1 }) });
    await uploaded(running, { bytes: await picture('png', { width: 1, height: 16_384 }) });
    const { src } = await uploaded(running, { bytes: gif({ frames: 1_000 }) });
    const { pages } = await sharp(await (await download(src)).arrayBuffer()).metadata();
    expect(pages).toBe(1_000);
  });

  test('are given up when their sender is gone', async () => {
    await uploaded(running, { bytes: await picture('png') });
    const [pid = 0] = pictureProcesses();
    // It takes the picture, and works on it for ever.
    process.kill(pid, 'SIGSTOP');
    const sending = sendPicture(await picture('png'));
    await expect.poll(() => waitingFiles()).toHaveLength(1);
    // Takes several turns of the loop, in which the picture reaches the process.
    await person(running, 'tom');
    sending.destroy();
    // Sooner than a picture that takes too long is.
    await expect.poll(() => pictureProcesses(), { timeout: 4_000 }).not.toContain(pid);
    await expect.poll(() => waitingFiles()).toEqual([]);
    await uploaded(running, { bytes: await picture('png') });
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
      'content-disposition': `attachment; filename="??.html"; filename*=UTF-8''%E5%90%88%E5%90%8C.html`,
      'content-type': 'application/octet-stream',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    });
  });

  test.each(['xls', 'doc', 'ppt'])('of the old Office keep their extension: .%s', async (extension) => {
    const container = new Uint8Array(1024);
    container.set([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
    const { src } = await uploaded(running, {
      ...{ path: '/upload/file', bytes: container, name: `表.${extension.toUpperCase()}` },
    });
    expect(src).toMatch(new RegExp(`\\.${extension}$`));
  });

  test.each([
    ['app.ipa', 'ipa'],
    ['no extension', 'zip'],
    ['strange.文件', 'zip'],
    ['long.abcdefghijk', 'zip'],
  ])('named %s that are archives get the extension %s', async (name, extension) => {
    const archive = new Uint8Array([0x50, 0x4b, 5, 6, ...new Uint8Array(18)]);
    const { src } = await uploaded(running, { path: '/upload/file', bytes: archive, name });
    expect(src).toMatch(new RegExp(`\\.${extension}$`));
  });

  test('are downloaded under the name they came with', async () => {
    const bytes = text('x');
    const { src } = await uploaded(running, { path: '/upload/file', bytes, name: 'a "b";c.pdf' });
    const { headers } = await download(src, { range: 'bytes=0-0' });
    // Chromium writes a quote in a form as %22.
    expect(headers.get('content-disposition')).toBe(
      `attachment; filename="a %22b%22;c.pdf"; filename*=UTF-8''a%20%2522b%2522%3Bc.pdf`,
    );
    const { name } = await uploaded(running, { path: '/upload/file', bytes, name: 'a\u202egpj.exe' });
    expect(name).toBe('agpj.exe');
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
    const beyond = await download(src, { range: 'bytes=10-' });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */10']);
    for (const range of ['bytes=0-1,4-5', 'bytes=b-a', 'bytes=3-1', 'lines=1-2', 'bytes']) {
      const whole = await download(src, { range });
      expect([whole.status, await whole.text()]).toEqual([200, '0123456789']);
    }
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
    const sending = sendForever(text('the beginning'));
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

describe('space', () => {
  const megabyte = new Uint8Array(1024 * 1024);
  const set = (settings: Record<string, number>) => call(running, 'POST', '/setting/update', settings);

  test('is used up by a person’s uploads of every kind, and told before more is stored', async () => {
    const [tom, jerry] = await two(running);
    const by = ({ uid }: Person, path: string, bytes: Uint8Array<ArrayBuffer>) =>
      upload(running, { path, bytes, fields: { login_uid: String(uid) } });
    await set({ upload_quota_mb: 2 });
    for (const path of ['/upload/img', '/upload/avatar']) {
      expect((await by(tom, path, await picture('png'))).answer.code).toBe(0);
    }
    expect((await by(tom, '/upload/file', megabyte)).answer.code).toBe(0);
    const stored = await storedFiles();
    const refused = { status: 200, answer: { code: 207, msg: '上传空间已用完' } };
    expect(await by(tom, '/upload/file', megabyte)).toEqual(refused);
    expect(await storedFiles()).toEqual(stored);
    expect((await by(jerry, '/upload/file', megabyte)).answer.code).toBe(0);
    await set({ upload_quota_mb: 10_000 });
    expect((await by(tom, '/upload/file', megabyte)).answer.code).toBe(0);
  });

  test('that is used up is told before a body is read', async () => {
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
    const sending = sendForever(new Uint8Array(100), headers);
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
      expect(await upload(running, given)).toEqual({ status: 507, answer: { code: 507, msg } });
    }
    expect(await waitingFiles()).toEqual([]);
    const sent = await tom.post('/message/send', { to: jerry.uid, type: 'friend', content: '还能发' });
    expect(sent.code).toBe(0);
    await set({ upload_reserve_mb: 1_000 });
  });

  test('is not taken by more than 20 uploads of a person at once', async () => {
    const account = { username: `many${process.pid}`, nickname: '多', password: 'secret-1' };
    await call(running, 'POST', '/user/add', account);
    const { token } = z
      .object({ token: z.string() })
      .parse((await call(running, 'POST', '/login/login', account, {})).data);
    const headers = { authorization: `Bearer ${token}` };
    const sending = Array.from({ length: 20 }, () => sendForever(new Uint8Array(10), headers));
    await expect.poll(() => waitingFiles()).toHaveLength(20);
    const given = { path: '/upload/file', bytes: megabyte, headers };
    expect((await upload(running, given)).answer.code).toBe(429);
    for (const one of sending) one.destroy();
    await expect.poll(() => waitingFiles()).toEqual([]);
    expect((await upload(running, given)).answer.code).toBe(0);
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

/** Sends a whole picture. */
function sendPicture(bytes: Uint8Array): ClientRequest {
  const headers = { ...serverKey, 'content-type': 'multipart/form-data; boundary=x' };
  const sending = request(`${running.url}/api/upload/img`, { method: 'POST', headers });
  sending.on('error', () => undefined);
  sending.write('--x\r\nContent-Disposition: form-data; name="file"; filename="a.webp"\r\n\r\n');
  sending.write(bytes);
  sending.end('\r\n--x--\r\n');
  return sending;
}

/** Begins an upload that never ends. */
function sendForever(
  bytes: Uint8Array,
  headers: Readonly<Record<string, string>> = serverKey,
): ClientRequest {
  const sending = request(`${running.url}/api/upload/file`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'multipart/form-data; boundary=x', 'content-length': 10_000_000 },
  });
  sending.on('error', () => undefined);
  sending.write('--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n');
  sending.write(bytes);
  return sending;
}

function storedFiles(): Promise<string[]> {
  return readdir(join(running.filesFolder, 'upload'), { recursive: true });
}
