import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { whileWriting } from '../file-failure.ts';
import { privateFile } from '../files/private.ts';

/** What a file of a backup is known by. */
export interface HashedFile {
  readonly bytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

/** How many characters of text are hashed and written at once. */
const maxHeldCharacters = 1_000_000;

/** Brings the names in a folder down to the disk. */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

/**
 * Writes a file down to the disk, so that under its name it is there as a whole or not at all. No other process may
 * write it meanwhile.
 * @param chunks texts or bytes
 * @throws FileFailure, what `open` and `chunks` throw; the file is then as it was
 */
export async function writeDurably(
  file: string,
  chunks: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
): Promise<HashedFile> {
  const draft = `${file}.draft`;
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    await using handle = await open(draft, 'w', privateFile);
    for await (const part of joined(chunks)) {
      hash.update(part);
      bytes += part.length;
      await whileWriting(file, handle.appendFile(part));
    }
    await whileWriting(file, handle.sync());
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await rename(draft, file);
  await syncFolder(dirname(file));
  return { bytes, sha256: hash.digest('hex') };
}

/** Puts texts together: one write for each line costs more than the line. */
async function* joined(
  chunks: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let held = '';
  for await (const chunk of chunks) {
    if (typeof chunk !== 'string') {
      yield chunk;
      continue;
    }
    held += chunk;
    if (held.length < maxHeldCharacters) continue;
    yield Buffer.from(held);
    held = '';
  }
  if (held !== '') yield Buffer.from(held);
}

/** The SHA-256 of the first `bytes` bytes of a file, in hexadecimal. @throws what the disk throws */
export async function hashOf(file: string, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  if (bytes > 0) await pipeline(createReadStream(file, { end: bytes - 1 }), hash);
  return hash.digest('hex');
}
