import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import QRCode from 'qrcode';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { type Person, person, refusedWith, two } from '../support/client.ts';
import { picture, uploaded } from '../support/uploading.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

describe('qrcode/get', () => {
  const code = (content: string) =>
    fetch(`${running.url}/api/qrcode/get?content=${encodeURIComponent(content)}`);

  test.each([
    ['an address', 'https://pop.com/g/502139874'],
    ['any writing', '加我为好友😀'],
    ['1,024 bytes', 'a'.repeat(1024)],
  ])('draws the code of %s as a PNG, for anyone', async (_, content) => {
    const response = await code(content);
    expect(response.headers.get('content-type')).toBe('image/png');
    const image = sharp(await response.arrayBuffer());
    const { data, info } = await image.greyscale().raw().toBuffer({ resolveWithObject: true });
    const { modules } = QRCode.create(content, { errorCorrectionLevel: 'M' });
    const scale = info.width / (modules.size + 4);
    const drawn = Array.from({ length: modules.size ** 2 }, (_, index) => {
      const [row, column] = [Math.floor(index / modules.size), index % modules.size];
      return (
        (data[Math.floor((row + 2.5) * scale) * info.width + Math.floor((column + 2.5) * scale)] ?? 0) < 128
      );
    });
    expect(drawn).toEqual(Array.from(modules.data, Boolean));
  });

  test.each([
    ['nothing', '', refusedWith(1, '缺少参数content')],
    ['1,026 bytes', '猫'.repeat(342), refusedWith(2, '参数content不合法')],
  ])('refuses %s in the envelope', async (_, content, refusal) => {
    const response = await code(content);
    expect([response.status, await response.json()]).toEqual([200, refusal]);
  });
});

describe('the picture of a group', () => {
  const composed = (
    uids: readonly (number | string)[],
    prefix = '/h5',
    headers: Record<string, string> = {},
  ) => fetch(`${running.url}${prefix}/group/avatar?uid=${uids.join(',')}`, { headers });

  const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

  async function withPicture(nickname: string): Promise<Person> {
    const made = await person(running, nickname);
    const { src } = await uploaded(running, {
      ...{ path: '/upload/avatar', bytes: await picture('png') },
      fields: { login_uid: String(made.uid) },
    });
    await made.post('/user/update', { avatar: src });
    return made;
  }

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])('is a square JPEG of %i faces', async (count) => {
    const people = await Promise.all(
      Array.from({ length: count }, (_, index) => person(running, `人${index}`)),
    );
    const response = await composed(people.map(({ uid }) => uid));
    expect(response.headers.get('content-type')).toBe('image/jpeg');
    const { format, width, height } = await sharp(await bytesOf(response)).metadata();
    expect([format, width, height]).toEqual(['jpeg', 240, 240]);
  });

  test('is served under each prefix, of at most nine faces, and the same again to who has it', async () => {
    const people = await Promise.all(Array.from({ length: 11 }, (_, index) => person(running, `友${index}`)));
    const uids = people.map(({ uid }) => uid);
    const [nine, eleven, api] = await Promise.all([
      composed(uids.slice(0, 9)),
      composed(uids),
      composed(uids, '/api'),
    ]);
    const tag = nine.headers.get('etag') ?? '';
    expect(eleven.headers.get('etag')).toBe(tag);
    expect(await bytesOf(eleven)).toEqual(await bytesOf(nine));
    expect(await bytesOf(api)).not.toHaveLength(0);
    expect((await composed(uids, '/web', { 'if-none-match': tag })).status).toBe(304);
  });

  test('shows who has a picture of ours by it, and others by their initial, which differ', async () => {
    const [tom, jerry, spike] = [
      await withPicture('汤姆'),
      await person(running, '小老鼠'),
      await person(running, '大狗'),
    ];
    const shot = async (one: Person) => bytesOf(await composed([one.uid]));
    const centre = await sharp(await shot(tom))
      .extract({ left: 60, top: 60, width: 120, height: 120 })
      .stats();
    const [red = 0, green = 0, blue = 0] = centre.channels.map(({ mean }) => mean);
    expect(green).toBeGreaterThan(190);
    expect(Math.max(red, blue)).toBeLessThan(40);
    const initials = [await shot(jerry), await shot(spike), await shot(await person(running, '\u{1f600}'))];
    expect(new Set(initials.map((bytes) => bytes.toString('base64'))).size).toBe(3);
  });

  test('shows each uid once', async () => {
    const [tom, jerry] = await two(running);
    const [once, often] = await Promise.all([
      composed([tom.uid, jerry.uid]),
      composed([tom.uid, jerry.uid, tom.uid, tom.uid, jerry.uid]),
    ]);
    expect(often.headers.get('etag')).toBe(once.headers.get('etag'));
  });

  test('shows no file that somebody uploaded as their face, even if it is a picture', async () => {
    const tom = await person(running, '汤姆');
    const before = (await composed([tom.uid])).headers.get('etag');
    const { src } = await uploaded(running, {
      path: '/upload/file',
      bytes: await picture('png'),
      name: 'a.png',
    });
    await tom.post('/user/update', { avatar: src });
    expect((await composed([tom.uid])).headers.get('etag')).toBe(before);
  });

  test('follows when a member changes their picture', async () => {
    const tom = await person(running, '汤姆');
    const before = (await composed([tom.uid])).headers.get('etag');
    await tom.post('/user/update', { nickname: '杰瑞' });
    expect((await composed([tom.uid])).headers.get('etag')).not.toBe(before);
  });

  test('is not harmed by a picture that is missing, foreign or broken, nor by who is unknown', async () => {
    const tom = await withPicture('汤姆');
    const [lost, foreign] = [await person(running, '丢'), await person(running, '外')];
    await lost.post('/user/update', { avatar: `/upload/avatars/1/${'0'.repeat(32)}.png` });
    await foreign.post('/user/update', { avatar: 'http://127.0.0.1:9/never-fetched.png' });
    const folder = join(running.filesFolder, 'upload', 'avatars', String(tom.uid));
    for (const name of await readdir(folder)) await rm(join(folder, name));
    const response = await composed([tom.uid, lost.uid, foreign.uid, 999_999_999]);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
  });

  test.each(['', 'x', '0', '-1', '1;2', '9007199254740993', '1,,2'])(
    'of %s is refused in the envelope',
    async (uid) => {
      const response = await composed([uid], '/h5', serverKey);
      expect([response.status, await response.json()]).toEqual([
        200,
        expect.objectContaining({ msg: expect.stringContaining('uid') }),
      ]);
    },
  );
});
