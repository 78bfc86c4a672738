import { type ClientRequest, request } from 'node:http';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { person, refusedWith } from '../support/client.ts';
import { pictureProcesses } from '../support/picture-processes.ts';
import {
  download,
  gif,
  picture,
  plain,
  text,
  upload,
  uploaded,
  uploadsUnderWay,
} from '../support/uploading.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

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

  test('keep the name they came with, in any script, and the size of the bytes received', async () => {
    const bytes = await picture('png', { width: 300, height: 300 });
    const { name, size } = await uploaded(running, { bytes, name: '..\\目录/我的 图片😀.png' });
    expect(name).toBe('我的 图片😀.png');
    expect(size).toBe(`${(bytes.length / 1024).toFixed(2)} KB`);
  });

  test('are stored upright, without metadata and without bytes after their end', async () => {
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
  ])('are refused if the bytes are %s, under any name', async (_, bytes) => {
    const { status, answer } = await upload(running, { bytes, name: 'picture.png' });
    expect(status).toBe(200);
    expect(answer.code).toBe(2);
  });

  test('cut off in the middle are refused', async () => {
    const bytes = await picture('jpeg', { width: 600, height: 600 });
    expect((await upload(running, { bytes: bytes.slice(0, bytes.length / 2) })).answer.code).toBe(2);
  });

  test('as WebP are stored upright, too', async () => {
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
  ])('of %s are refused as too large', async (_, make, msg) => {
    const bomb = await make();
    expect(bomb.length).toBeLessThan(10_000_000);
    expect(await upload(running, { bytes: bomb })).toEqual({ status: 413, answer: refusedWith(413, msg) });
  });

  test('of 16,384 pixels a side, and of 1,000 frames, are accepted', async () => {
    await uploaded(running, { bytes: await picture('png', { width: 16_384, height: 1 }) });
    await uploaded(running, { bytes: await picture('png', { width: 1, height: 16_384 }) });
    const { src } = await uploaded(running, { bytes: gif({ frames: 1_000 }) });
    const { pages } = await sharp(await (await download(src)).arrayBuffer()).metadata();
    expect(pages).toBe(1_000);
  });

  test('are given up when their sender disconnects', async () => {
    await uploaded(running, { bytes: await picture('png') });
    const [pid = 0] = pictureProcesses();
    // The stopped process accepts the picture, and never finishes.
    process.kill(pid, 'SIGSTOP');
    const sending = sendPicture(await picture('png'));
    await expect.poll(() => uploadsUnderWay(running)).toHaveLength(1);
    // Takes several turns of the loop, in which the picture reaches the process.
    await person(running, 'tom');
    sending.destroy();
    // Sooner than the deadline of a picture.
    await expect.poll(() => pictureProcesses(), { timeout: 4_000 }).not.toContain(pid);
    await expect.poll(() => uploadsUnderWay(running)).toEqual([]);
    await uploaded(running, { bytes: await picture('png') });
  });
});

describe('avatars', () => {
  test('are stored under their owner and change no profile', async () => {
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

  test('of people who have none are a picture of ours', async () => {
    const response = await fetch(`${running.url}/static/img/avatar.jpg`);
    expect(response.headers.get('content-type')).toBe('image/jpeg');
    expect((await sharp(await response.arrayBuffer()).metadata()).format).toBe('jpeg');
  });
});

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
