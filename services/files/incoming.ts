import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Longer than any upload takes: what is older was left by a process that was killed. */
const abandonedAfter = 86_400_000;

/** Where uploads lie until they are whole. */
export interface Incoming {
  /** A name for a file that nobody else has. */
  newFile(): string;
  /** Writes a stream to a file of its own, down to the disk. @throws what stream or disk throw, leaving nothing */
  receive(stream: Readable): Promise<string>;
  /** Removes a file, if it is still there. */
  discard(file: string): Promise<void>;
}

/** Opens the folder, and clears what was left there. */
export async function openIncoming(folder: string): Promise<Incoming> {
  await mkdir(folder, { recursive: true });
  await clear(folder);
  const newFile = () => join(folder, randomUUID());
  const discard = (file: string) => rm(file, { force: true });
  return {
    newFile,
    discard,
    async receive(stream) {
      const file = newFile();
      try {
        await pipeline(stream, createWriteStream(file, { flags: 'wx', flush: true }));
        return file;
      } catch (error) {
        await discard(file);
        throw error;
      }
    },
  };
}

async function clear(folder: string): Promise<void> {
  const before = Date.now() - abandonedAfter;
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    const found = await stat(file).catch(() => undefined);
    if (found && found.mtimeMs < before) await rm(file, { force: true, recursive: true });
  }
}
