import { createHash, randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from 'vitest';
import { type FileStore, newStoredPath, type StoredFile } from '../../services/files/file-store.ts';
import { type AtEnd, afterAllTests } from '../support/at-end.ts';
import { temporaryFolder } from '../support/folder.ts';

/** A new path of a file that was uploaded now. */
export const newPath = () => newStoredPath({ kind: 'files', time: Date.now() }, 'bin');

/** What any store of uploads does. `make` opens an empty one, which is removed after the last test. */
export function describeFileStore(name: string, make: (atEnd: AtEnd) => Promise<FileStore>): void {
  describe(`the store of uploads: ${name}`, () => {
    const atEnd = afterAllTests();
    let store: FileStore;
    let folder: string;
    beforeAll(async () => {
      folder = await temporaryFolder(atEnd);
      store = await make(atEnd);
      atEnd(() => store.close());
    }, 180_000);

    /** Adds a file of these bytes. */
    async function add(bytes: Buffer) {
      const path = newPath();
      const file = join(folder, randomBytes(8).toString('hex'));
      await writeFile(file, bytes);
      await store.add(path, file);
      return path;
    }

    /** The same, found again. */
    async function added(bytes: Buffer): Promise<StoredFile> {
      const found = await store.find(await add(bytes));
      if (!found) throw new Error('what was added is not there');
      return found;
    }

    test('returns what was added, byte for byte, and removes the local file', async () => {
      const bytes = randomBytes(100_000);
      const found = await added(bytes);
      expect(found.bytes).toBe(bytes.length);
      expect(await buffer(await found.read())).toEqual(bytes);
      expect(await readdir(folder)).toEqual([]);
    });

    test('gives any part of it', async () => {
      const found = await added(Buffer.from('0123456789'));
      const part = async (start: number, end: number) => text(await found.read({ start, end }));
      expect(await part(0, 1)).toBe('01');
      expect(await part(2, 4)).toBe('234');
      expect(await part(7, 9)).toBe('789');
      expect(await part(0, 9)).toBe('0123456789');
    });

    test('lists what was added', async () => {
      const paths = await Promise.all(['one', 'two', 'three'].map((text) => add(Buffer.from(text))));
      expect(await Array.fromAsync(store.list())).toEqual(expect.arrayContaining(paths));
    });

    test('holds what is empty', async () => {
      expect((await added(Buffer.alloc(0))).bytes).toBe(0);
    });

    test('has nothing under a path to which nothing was added', async () => {
      expect(await store.find(newPath())).toBeUndefined();
    });

    test('has nothing under a path whose file could not be added', async () => {
      const path = newPath();
      await expect(store.add(path, join(folder, 'not there'))).rejects.toThrow();
      expect(await store.find(path)).toBeUndefined();
    });

    test('carries what is large in pieces', async () => {
      const bytes = randomBytes(20_000_000);
      const found = await added(bytes);
      const digest = createHash('sha256');
      let largest = 0;
      for await (const piece of await found.read()) {
        digest.update(piece);
        largest = Math.max(largest, piece.length);
      }
      expect(digest.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
      expect(largest).toBeLessThan(1_000_000);
    });

    test('survives a reader that goes away', async () => {
      const found = await added(randomBytes(5_000_000));
      const reading = await found.read();
      for await (const _ of reading) break;
      await expect.poll(() => reading.destroyed).toBe(true);
      expect((await buffer(await found.read({ start: 0, end: 9 }))).length).toBe(10);
    });

    test('serves many at once', async () => {
      const paths = await Promise.all(Array.from({ length: 50 }, (_, index) => add(Buffer.alloc(index))));
      const found = await Promise.all(paths.map((path) => store.find(path)));
      expect(found.map((file) => file?.bytes)).toEqual(Array.from({ length: 50 }, (_, index) => index));
    });

    test('says that it can be worked with', async () => {
      expect(await store.healthy()).toBe(true);
    });
  });
}
