import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { FairQueue } from '../fair-queue.ts';
import { mustLeaveFree } from './disk-space.ts';
import { openPrivateFolder, privateFile } from './private.ts';

/** Longer than any upload takes: older files were left by a process that was killed. */
const abandonedAfterMs = 86_400_000;

/** How many bytes are written between two checks of the free space: many uploads may arrive at once. */
const bytesBetweenChecks = 4 * 1024 * 1024;

/**
 * How many bytes are written between two flushes to the disk. The log's own flush waits for what is being flushed:
 * beside six whole files of 20 MB it took 51 ms (p99), beside pieces of this size 5 ms, as on an idle disk.
 */
const bytesBetweenFlushes = 256 * 1024;

/**
 * Flushes of all uploads, one after the other, for the same reason, each followed by a rest as long as it took, up to
 * 100 ms: half of the disk's time is left to the log.
 */
const flushes = new FairQueue({ maxRunning: 1, maxRestMs: 100 });

/** Uploads until they are complete. */
export interface Incoming {
  /** A name for a file that nobody else has. */
  newFile(): string;
  /**
   * Writes a stream to a file of its own, down to the disk.
   * @param reserve the bytes of the disk that must stay free
   * @throws Refusal noSpace; what stream or disk throw. Nothing is left then
   */
  receive(stream: Readable, reserve: number): Promise<string>;
  /** Removes a file, if it is still there. */
  discard(file: string): Promise<void>;
}

/** Opens the folder, and removes abandoned uploads. */
export async function openIncoming(folder: string): Promise<Incoming> {
  await openPrivateFolder(folder);
  await clear(folder);
  const newFile = () => join(folder, randomUUID());
  const discard = (file: string) => rm(file, { force: true });
  return {
    newFile,
    discard,
    async receive(stream, reserve) {
      const file = newFile();
      try {
        await using target = await open(file, 'wx', privateFile);
        await write(stream, target, () => mustLeaveFree(folder, reserve));
        return file;
      } catch (error) {
        await discard(file);
        throw error;
      }
    },
  };
}

/** Writes a stream to a file, down to the disk, while `mustFit` allows it. */
async function write(
  chunks: AsyncIterable<Buffer>,
  target: FileHandle,
  mustFit: () => Promise<void>,
): Promise<void> {
  const flush = (act: () => Promise<void>) =>
    flushes.run({ of: 'uploads', maxWaiting: Number.POSITIVE_INFINITY }, act);
  let unflushed = 0;
  let unchecked = bytesBetweenChecks;
  for await (const chunk of chunks) {
    unchecked += chunk.length;
    if (unchecked > bytesBetweenChecks) {
      await mustFit();
      unchecked = 0;
    }
    await target.appendFile(chunk);
    unflushed += chunk.length;
    if (unflushed < bytesBetweenFlushes) continue;
    await flush(() => target.datasync());
    unflushed = 0;
  }
  await flush(() => target.sync());
}

async function clear(folder: string): Promise<void> {
  const before = Date.now() - abandonedAfterMs;
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    const found = await stat(file).catch(() => undefined);
    if (found && found.mtimeMs < before) await rm(file, { force: true, recursive: true });
  }
}
