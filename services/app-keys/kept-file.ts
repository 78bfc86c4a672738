import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { errorCode } from '../error-code.ts';

/** The text of a file; undefined if there is none. @throws Error if it cannot be read */
export async function readKept(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new Error(`cannot read ${file}`, { cause: error });
  });
}

/**
 * The text of a file with a secret, which is made with `content`, for its owner alone, if there is none: whole or not
 * at all, and if several processes make it at once, all get the same.
 * @throws Error if it cannot be read or made
 */
export async function keptOrMade(file: string, content: () => string): Promise<string> {
  const kept = await readKept(file);
  if (kept !== undefined) return kept;
  const unfinished = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = await open(unfinished, 'wx', 0o600);
  try {
    await handle.writeFile(content());
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(unfinished, file);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  } finally {
    await rm(unfinished, { force: true });
  }
  const made = await readKept(file);
  if (made === undefined) throw new Error(`${file} vanished while it was made`);
  return made;
}
