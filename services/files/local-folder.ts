import { createReadStream } from 'node:fs';
import { access, chmod, constants, opendir, rename, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { errorCode } from '../error-code.ts';
import { makeFolder } from '../make-folder.ts';
import { type FileStore, readStoredPath } from './file-store.ts';
import { openPrivateFolder, privateFile } from './private.ts';

/**
 * Keeps files in a folder that only this user may enter. Added files must be in the same file system.
 * @throws what the disk throws
 */
export async function openLocalFolder(folder: string): Promise<FileStore> {
  await openPrivateFolder(folder);
  return {
    async add(path, localFile) {
      const target = join(folder, path);
      await makeFolder(dirname(target));
      await chmod(localFile, privateFile);
      await rename(localFile, target);
    },
    async find(path) {
      const file = join(folder, path);
      const found = await stat(file).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      if (!found?.isFile()) return undefined;
      return { bytes: found.size, read: async (range) => createReadStream(file, range) };
    },
    async *list() {
      for await (const entry of await opendir(folder, { recursive: true })) {
        const path = readStoredPath(relative(folder, join(entry.parentPath, entry.name)));
        if (path !== undefined && entry.isFile()) yield path;
      }
    },
    async healthy() {
      await makeFolder(folder);
      await access(folder, constants.W_OK);
      return true;
    },
    close: async () => undefined,
  };
}

/** Whether an error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
