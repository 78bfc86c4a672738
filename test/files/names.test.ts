import { describe, expect, test } from 'vitest';
import { Uid } from '../../contracts/ids.ts';
import { shownSize } from '../../services/api/upload.ts';
import { initialOf } from '../../services/files/faces.ts';
import { newStoredPath, readStoredPath, storedPictureOf } from '../../services/files/file-store.ts';

const name = 'a'.repeat(32);

describe('the path of a stored file', () => {
  test('has the folder of the month, and the rest cannot be guessed', () => {
    const time = Date.UTC(2021, 3, 30, 23, 59);
    expect(newStoredPath({ kind: 'avatars', uid: Uid.parse(7) }, 'png')).toMatch(
      /^avatars\/7\/[0-9a-f]{32}\.png$/,
    );
    expect(newStoredPath({ kind: 'images', time }, 'jpg')).toMatch(/^images\/202104\/[0-9a-f]{32}\.jpg$/);
    const many = Array.from({ length: 100 }, () => newStoredPath({ kind: 'files', time }, 'bin'));
    expect(new Set(many).size).toBe(100);
    for (const path of many) expect(readStoredPath(path)).toBe(path);
  });

  test.each([
    '',
    '../secret',
    `files/202104/../../${name}.png`,
    `files/202104/${name}`,
    `files/202104/${name}.PNG`,
    `files/202104/${name}.png\n`,
    `other/202104/${name}.png`,
    `/files/202104/${name}.png`,
  ])('is not %j', (text) => {
    expect(readStoredPath(text)).toBeUndefined();
  });

  test.each([
    [`//pop.com/upload/avatars/9/${name}.jpg`, `avatars/9/${name}.jpg`],
    [`https://pop.com:8787/upload/images/202104/${name}.png`, `images/202104/${name}.png`],
    [`/upload/avatars/9/${name}.jpg`, `avatars/9/${name}.jpg`],
    ['//pop.com/upload/avatars/9/9/265cea5d13d5b0.jpg', undefined],
    [`/upload/files/202104/${name}.png`, undefined],
    [`ftp://pop.com/upload/avatars/9/${name}.jpg`, undefined],
    ['/static/img/avatar.jpg', undefined],
    ['', undefined],
  ])('behind the address %s is %s', (address, path) => {
    expect(storedPictureOf(address)).toBe(path);
  });
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.00 KB'],
  [7322, '7.15 KB'],
  [1024 * 1024 - 1, '1.00 MB'],
  [1024 * 1024, '1.00 MB'],
  [5 * 1024 * 1024 * 1024, '5.00 GB'],
])('%i bytes are written as %s', (bytes, shown) => {
  expect(shownSize(bytes)).toBe(shown);
});

test.each([
  ['小老鼠', '小'],
  ['tom', 'T'],
  ['😀 猫', '猫'],
  ['ßeta', 'S'],
  ['𠮷野家', '𠮷'],
  ['<b>', 'B'],
  ['😀', ''],
  ['', ''],
])('the initial of %s is %s', (nickname, initial) => {
  expect(initialOf(nickname)).toBe(initial);
});
