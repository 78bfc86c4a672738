import { readdir, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import sharp from 'sharp';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { squaresOf } from '../../services/files/face-grid.ts';
import { createFaces, type Faces } from '../../services/files/faces.ts';
import { type FileStore, readStoredPath, type StoredFile } from '../../services/files/file-store.ts';
import { type Face, GroupPictures } from '../../services/files/group-pictures.ts';
import { temporaryFolder } from '../support/folder.ts';

let defaultFace: Buffer;
beforeAll(async () => {
  defaultFace = await sharp({ create: { width: 10, height: 10, channels: 3, background: '#abc' } })
    .png()
    .toBuffer();
});

const face = (uid: number, path?: string): Face => ({
  ...{ uid, initial: '猫' },
  path: path === undefined ? undefined : readStoredPath(path),
});
const somePath = `avatars/1/${'a'.repeat(32)}.png`;

const nowhere: FileStore = {
  add: async () => undefined,
  find: async () => undefined,
  async *list() {},
  healthy: async () => true,
  close: async () => undefined,
};

/** Draws nothing until it is let. */
function heldFaces(): { faces: Faces; drawing: () => number; let(): void } {
  const held = Promise.withResolvers<void>();
  let drawing = 0;
  return {
    drawing: () => drawing,
    let: () => held.resolve(),
    faces: {
      async draw() {
        drawing += 1;
        await held.promise;
        return defaultFace;
      },
    },
  };
}

async function open(store: FileStore, faces: Faces, max?: number) {
  const folder = await temporaryFolder();
  return { folder, pictures: await new GroupPictures(folder, store, faces, max).open() };
}

const atOnce: Faces = { draw: async () => defaultFace };

describe('pictures of groups', () => {
  test.each([
    [1, [1]],
    [2, [2]],
    [3, [1, 2]],
    [4, [2, 2]],
    [5, [2, 3]],
    [6, [3, 3]],
    [7, [1, 3, 3]],
    [8, [2, 3, 3]],
    [9, [3, 3, 3]],
  ])('have room for %i faces in rows of %j, none over another or the edge', (count, rows) => {
    const squares = squaresOf(count);
    expect(squares).toHaveLength(count);
    const tops = [...new Set(squares.map(({ top }) => top))];
    expect(tops.map((row) => squares.filter(({ top }) => top === row).length)).toEqual(rows);
    for (const { left, top, size } of squares) {
      expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
      expect(Math.max(left, top) + size).toBeLessThanOrEqual(240);
      const over = squares.filter(
        (other) => Math.abs(other.left - left) < size && Math.abs(other.top - top) < size,
      );
      expect(over).toHaveLength(1);
    }
  });

  test('are composed once for concurrent requests, and stored by their content', async () => {
    const { faces, drawing, let: letDraw } = heldFaces();
    const { folder, pictures } = await open(nowhere, faces);
    const asked = Promise.all(Array.from({ length: 5 }, () => pictures.find([face(1)])));
    await vi.waitUntil(() => drawing() > 0);
    letDraw();
    const [first, ...others] = await asked;
    expect(drawing()).toBe(1);
    for (const other of others) expect(other).toEqual(first);
    expect(await readdir(folder)).toEqual([`${first?.tag}.jpg`]);
    expect(await pictures.find([face(1)])).toEqual(first);
    expect(drawing()).toBe(1);
  });

  test('are other ones for other faces, or in another order', async () => {
    const { pictures } = await open(nowhere, atOnce);
    const tags = [
      [face(1)],
      [face(2)],
      [face(1), face(2)],
      [face(2), face(1)],
      [{ ...face(1), initial: '狗' }],
    ];
    const found = await Promise.all(tags.map((faces) => pictures.find(faces)));
    expect(new Set(found.map((picture) => picture?.tag)).size).toBe(5);
  });

  test('that are not done within 2 s are not waited for, and are there for later requests', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { faces, drawing, let: letDraw } = heldFaces();
      const { pictures } = await open(nowhere, faces);
      const asked = pictures.find([face(1)]);
      await vi.waitUntil(() => drawing() > 0);
      await vi.advanceTimersByTimeAsync(2000);
      expect(await asked).toBeUndefined();
      letDraw();
      expect(await pictures.find([face(1)])).toMatchObject({ tag: expect.any(String) });
      expect(drawing()).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });

  test('are composed two at a time, in a line that ends', async () => {
    const { faces, drawing, let: letDraw } = heldFaces();
    const { pictures } = await open(nowhere, faces);
    const asked = Array.from({ length: 110 }, (_, index) => pictures.find([face(index + 1)]));
    expect(await Promise.race(asked)).toBeUndefined();
    expect(drawing()).toBe(2);
    letDraw();
    const found = await Promise.all(asked);
    expect(found.filter((picture) => picture === undefined).length).toBeGreaterThanOrEqual(8);
  });

  test('replace a broken picture, and are kept', async () => {
    const broken: FileStore = {
      ...nowhere,
      find: async () => ({ bytes: 3, read: async () => Readable.from([Buffer.from('???')]) }),
    };
    const { folder, pictures } = await open(broken, atOnce);
    expect(await pictures.find([face(1, somePath)])).toBeDefined();
    expect(await readdir(folder)).toHaveLength(1);
  });

  test('replace a picture of more than 5 MB, which is not read', async () => {
    const read = vi.fn<StoredFile['read']>();
    const large: FileStore = { ...nowhere, find: async () => ({ bytes: 5_000_001, read }) };
    const { pictures } = await open(large, atOnce);
    const withInitials = await (await open(nowhere, atOnce)).pictures.find([face(1)]);
    expect((await pictures.find([face(1, somePath)]))?.picture).toEqual(withInitials?.picture);
    expect(read).not.toHaveBeenCalled();
  });

  test('replace a picture of more than 25 million pixels', async () => {
    const huge = await sharp({ create: { width: 5_001, height: 5_000, channels: 3, background: '#f00' } })
      .png()
      .toBuffer();
    const store: FileStore = {
      ...nowhere,
      find: async () => ({ bytes: huge.length, read: async () => Readable.from([huge]) }),
    };
    const { pictures } = await open(store, atOnce);
    const withInitials = await (await open(nowhere, atOnce)).pictures.find([face(1)]);
    expect((await pictures.find([face(1, somePath)]))?.picture).toEqual(withInitials?.picture);
  });

  test('read a picture once for all members who have it', async () => {
    const read = vi.fn<StoredFile['read']>(async () => Readable.from([defaultFace]));
    const store: FileStore = { ...nowhere, find: async () => ({ bytes: defaultFace.length, read }) };
    const { pictures } = await open(store, atOnce);
    await pictures.find(Array.from({ length: 9 }, (_, index) => face(index + 1, somePath)));
    expect(read).toHaveBeenCalledOnce();
  });

  test('replace a picture while its store is away, and are not kept', async () => {
    const away: FileStore = { ...nowhere, find: () => Promise.reject(new Error('away')) };
    const { folder, pictures } = await open(away, atOnce);
    expect(await pictures.find([face(1, somePath)])).toBeDefined();
    expect(await readdir(folder)).toEqual([]);
  });

  test('are on disk up to a maximum number, and made again after they were deleted', async () => {
    const { folder, pictures } = await open(nowhere, atOnce, 3);
    for (let uid = 1; uid <= 8; uid++) await pictures.find([face(uid)]);
    await expect.poll(() => readdir(folder)).toHaveLength(3);
    for (const name of await readdir(folder)) await rm(`${folder}/${name}`);
    expect(await pictures.find([face(8)])).toBeDefined();
  });
});

describe('initials', () => {
  test('are drawn once for each letter, tint and size', async () => {
    const faces = createFaces();
    const first = await faces.draw('猫', 1, 60);
    // The very same bytes: the tints repeat after eight numbers.
    expect(await faces.draw('猫', 9, 60)).toBe(first);
    for (const other of [faces.draw('猫', 2, 60), faces.draw('狗', 1, 60), faces.draw('猫', 1, 61)]) {
      expect((await other).equals(first)).toBe(false);
    }
    expect(await faces.draw('', 1, 60)).toBe(await faces.draw('', 2, 60));
  });

  test('are drawn in Chinese too: each character otherwise, and not as an empty box', async () => {
    const faces = createFaces();
    const drawn = await Promise.all(
      ['猫', '鼠', '龘', 'A', 'é', '7'].map((initial) => faces.draw(initial, 1, 60)),
    );
    expect(new Set(drawn.map((bytes) => bytes.toString('base64'))).size).toBe(6);
    const ink = await Promise.all(
      drawn.map(async (bytes) => {
        const { channels } = await sharp(bytes).stats();
        return channels[0]?.mean ?? 0;
      }),
    );
    // 龘 has 48 strokes: if boxes were drawn instead of characters, all would have the same ink.
    expect(Math.abs((ink[2] ?? 0) - (ink[0] ?? 0))).toBeGreaterThan(1);
  });
});
