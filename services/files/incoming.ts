import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { mustLeaveFree } from './disk-space.ts';
import { openPrivateFolder, privateFile } from './private.ts';

/** Longer than any upload takes: what is older was left by a process that was killed. */
const abandonedAfterMs = 86_400_000;

/** How many bytes are written between two looks at the free space: many uploads may arrive at once. */
const bytesBetweenLooks = 4 * 1024 * 1024;

/** Where uploads lie until they are whole. */
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

/** Opens the folder, and clears what was left there. */
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
      const target = createWriteStream(file, { flags: 'wx', mode: privateFile, flush: true });
      try {
        await pipeline(stream, (chunks) => whileFree(chunks, folder, reserve), target);
        return file;
      } catch (error) {
        await discard(file);
        throw error;
      }
    },
  };
}

/** Passes chunks on while the disk has room. @throws Refusal noSpace */
async function* whileFree(
  chunks: AsyncIterable<Buffer>,
  folder: string,
  reserve: number,
): AsyncGenerator<Buffer> {
  let unseen = bytesBetweenLooks;
  for await (const chunk of chunks) {
    unseen += chunk.length;
    if (unseen > bytesBetweenLooks) {
      await mustLeaveFree(folder, reserve);
      unseen = 0;
    }
    yield chunk;
  }
}

async function clear(folder: string): Promise<void> {
  const before = Date.now() - abandonedAfterMs;
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    const found = await stat(file).catch(() => undefined);
    if (found && found.mtimeMs < before) await rm(file, { force: true, recursive: true });
  }
}
