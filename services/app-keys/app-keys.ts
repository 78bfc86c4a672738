import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { KeyPair } from '../environment.ts';
import { keptOrMade } from './kept-file.ts';

/** The server's key: its holder may act for any user and sign pushes. */
export interface AppKeys extends KeyPair {
  /** The file that holds it; undefined if the environment gave it. */
  readonly file: string | undefined;
}

/**
 * The pair: as given, or else of the folder's file `app-secret`, which is created at the first start with the lines
 * `APP_KEY=…` and `APP_SECRET=…`, so that a shell can source it. A given pair is never written there.
 * @throws Error if the file cannot be read, written or parsed
 */
export async function loadAppKeys(folder: string, given: KeyPair | undefined): Promise<AppKeys> {
  if (given) return { ...given, file: undefined };
  const file = join(folder, 'app-secret');
  return { ...pairIn(await keptOrMade(file, newPair), file), file };
}

function newPair(): string {
  return `APP_KEY=${randomBytes(10).toString('hex')}\nAPP_SECRET=${randomBytes(32).toString('hex')}\n`;
}

function pairIn(text: string, file: string): KeyPair {
  const key = /^APP_KEY=([\w-]+)$/m.exec(text)?.[1];
  const secret = /^APP_SECRET=([\x21-\x7e]{16,256})$/m.exec(text)?.[1];
  if (key === undefined || secret === undefined) {
    throw new Error(
      `${file} does not hold the lines APP_KEY=… and APP_SECRET=…, of 16 characters or more: restore or remove it`,
    );
  }
  return { key, secret };
}
