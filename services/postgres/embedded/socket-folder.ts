import { chown, lstat, mkdir, mkdtemp, readlink, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { OperatingUser } from './operating-user.ts';

/** The longest path of a unix socket, in bytes, on macOS; Linux allows 107. */
const maxSocketPathBytes = 103;
const socketName = '/.s.PGSQL.5432';

/** A private folder for the server's socket. */
export interface SocketFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Creates the folder of the socket: beside the data, or a random temporary folder if that path is too long for a socket
 * or contains characters with a meaning in Postgres' settings. Then a link beside the data lets the next start
 * remove it after a kill. It belongs to the server's user, unless that bypasses permissions: its other processes
 * must not enter then.
 */
export async function makeSocketFolder(folder: string, user: OperatingUser | null): Promise<SocketFolder> {
  const beside = join(folder, 'socket');
  const before = await readlink(beside).catch(() => undefined);
  if (before !== undefined && basename(before).startsWith(temporaryName)) {
    await rm(before, { recursive: true, force: true });
  }
  await rm(beside, { recursive: true, force: true });
  const fits = Buffer.byteLength(beside + socketName) <= maxSocketPathBytes && /^[\w./-]+$/.test(beside);
  if (fits) {
    await mkdir(beside, { mode: 0o700 });
    await give(beside, user);
    return { path: beside, remove: () => rm(beside, { recursive: true, force: true }) };
  }
  const path = await makeTemporaryFolder();
  await give(path, user);
  await symlink(path, beside);
  const remove = async () => {
    await rm(path, { recursive: true, force: true });
    await rm(beside, { force: true });
  };
  return { path, remove };
}

async function give(path: string, user: OperatingUser | null): Promise<void> {
  if (user !== null && !user.bypassesPermissions) await chown(path, user.uid, user.gid);
}

const temporaryName = 'bubble-im-';

function makeTemporaryFolder(): Promise<string> {
  const usual = tmpdir();
  const length = Buffer.byteLength(join(usual, `${temporaryName}XXXXXX`) + socketName);
  return mkdtemp(join(length <= maxSocketPathBytes ? usual : '/tmp', temporaryName));
}

/** The socket's folder of a server that runs on this data, or was killed; undefined if there is none. */
export async function findSocketFolder(folder: string): Promise<string | undefined> {
  const beside = join(folder, 'socket');
  const found = await lstat(beside).catch(() => undefined);
  if (found === undefined) return undefined;
  return found.isSymbolicLink() ? readlink(beside) : beside;
}
