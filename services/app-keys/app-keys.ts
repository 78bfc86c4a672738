import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyPair } from '../environment.ts';

/** The server's key: who has the pair may act for any user and sign pushes. */
export interface AppKeys extends KeyPair {
  /** The file that holds it; undefined where it was given. */
  readonly file: string | undefined;
}

/**
 * The pair: as given, else as kept in the folder's `app-secret`, which is made at the first start, lines
 * of `APP_KEY=…` and `APP_SECRET=…` that a shell can source. A given one is never written there.
 * @throws Error when the file cannot be read, written or understood.
 */
export async function loadAppKeys(folder: string, given: KeyPair | undefined): Promise<AppKeys> {
  if (given) return { ...given, file: undefined };
  const file = join(folder, 'app-secret');
  return { ...((await readKept(file)) ?? (await make(file))), file };
}

async function readKept(file: string): Promise<KeyPair | undefined> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new Error(`cannot read ${file}`, { cause: error });
  });
  if (text === undefined) return undefined;
  const key = /^APP_KEY=([\w-]+)$/m.exec(text)?.[1];
  const secret = /^APP_SECRET=([\x21-\x7e]{16,256})$/m.exec(text)?.[1];
  if (key === undefined || secret === undefined) {
    throw new Error(
      `${file} does not hold the lines APP_KEY=… and APP_SECRET=…, of 16 characters or more: restore or remove it`,
    );
  }
  return { key, secret };
}

/** Whole or not at all, and of several that make it at once all get the same. */
async function make(file: string): Promise<KeyPair> {
  const unfinished = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = await open(unfinished, 'wx', 0o600);
  try {
    await handle.writeFile(
      `APP_KEY=${randomBytes(10).toString('hex')}\nAPP_SECRET=${randomBytes(32).toString('hex')}\n`,
    );
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(unfinished, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(unfinished, { force: true });
  }
  const kept = await readKept(file);
  if (kept === undefined) throw new Error(`${file} vanished while it was made`);
  return kept;
}
