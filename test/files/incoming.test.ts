import fs, { type FileHandle, open, readdir } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Incoming, openIncoming } from '../../services/files/incoming.ts';
import { temporaryFolder } from '../support/folder.ts';

let folder: string;
let incoming: Incoming;
beforeEach(async () => {
  folder = await temporaryFolder();
  incoming = await openIncoming(folder);
});
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

const kilobytes = 1024;
const megabytes = 1024 * kilobytes;

/** A stream of that many bytes, in pieces of 64 KB. */
function streamOf(bytes: number): Readable {
  const piece = Buffer.alloc(64 * kilobytes);
  const pieces = Array.from({ length: Math.ceil(bytes / piece.length) }, (_, index) =>
    piece.subarray(0, Math.min(piece.length, bytes - index * piece.length)),
  );
  return Readable.from(pieces);
}

test('the free space is checked at the first bytes of an upload, and again after 4 MB', async () => {
  // A disk that is full from the second check on.
  const disk = await fs.statfs(folder);
  const check = vi.spyOn(fs, 'statfs');
  const fillUp = () => {
    check.mockResolvedValueOnce({ ...disk, bavail: 1_000, bsize: 1 });
    check.mockResolvedValueOnce({ ...disk, bavail: 1_000 - 1, bsize: 1 });
  };
  syncBuiltinESMExports();
  const reserve = 999;
  const first = 64 * kilobytes;
  fillUp();
  await incoming.receive(streamOf(first + 4 * megabytes), reserve);
  expect(check).toHaveBeenCalledTimes(1);
  check.mockReset();
  fillUp();
  const refused = incoming.receive(streamOf(first + 4 * megabytes + 1), reserve);
  await expect(refused).rejects.toMatchObject({ reason: 'noSpace' });
  expect(await readdir(folder)).toHaveLength(1);
});

test('uploads are flushed to the disk after each 256 KB and at their end, one flush at a time', async () => {
  const flushes: string[] = [];
  let [flushing, atOnce] = [0, 0];
  const anyFile = await open(join(folder, 'any'), 'wx');
  const prototype: FileHandle = Object.getPrototypeOf(anyFile);
  await anyFile.close();
  for (const name of ['datasync', 'sync'] as const) {
    const flush = prototype[name];
    vi.spyOn(prototype, name).mockImplementation(async function (this: FileHandle) {
      flushes.push(name);
      atOnce = Math.max(atOnce, ++flushing);
      await flush.call(this);
      flushing--;
    });
  }
  await incoming.receive(streamOf(256 * kilobytes - 1), 0);
  expect(flushes).toEqual(['sync']);
  await incoming.receive(streamOf(256 * kilobytes), 0);
  expect(flushes).toEqual(['sync', 'datasync', 'sync']);
  await Promise.all(Array.from({ length: 5 }, () => incoming.receive(streamOf(512 * kilobytes), 0)));
  expect(flushes).toHaveLength(3 + 5 * 3);
  expect(atOnce).toBe(1);
});
