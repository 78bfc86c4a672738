import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from './error-code.ts';

/** For its owner alone. */
export const privateMode = 0o700;

/**
 * Makes a folder and those above it, unless it exists. Node's own recursive mkdir never ends below a folder in which
 * none can be made, such as /proc.
 * @param mode the permissions of the folders that are made; by default those of a private folder
 * @throws what the file system throws
 */
export async function makeFolder(path: string, mode = privateMode): Promise<void> {
  try {
    await makeOne(path, mode);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path), mode);
    await makeOne(path, mode);
  }
}

/** Makes a folder in one that exists. Another process may make it at the same moment. */
async function makeOne(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const found = await stat(path).catch(() => undefined);
    if (!found?.isDirectory()) throw error;
  }
}
