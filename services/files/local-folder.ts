import { createReadStream } from 'node:fs';
import { access, constants, mkdir, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileStore } from './file-store.ts';

/** Keeps files in a folder. What it takes over must lie in the same file system. */
export function localFolder(folder: string): FileStore {
  return {
    async add(path, localFile) {
      const target = join(folder, path);
      await mkdir(dirname(target), { recursive: true });
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
    async healthy() {
      await mkdir(folder, { recursive: true });
      await access(folder, constants.W_OK);
      return true;
    },
    close: async () => undefined,
  };
}

/** Whether an error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
