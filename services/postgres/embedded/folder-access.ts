import { execFile } from 'node:child_process';
import { chmod, chown, lstat, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresBinaries } from './binaries.ts';
import { commandAs, type OperatingUser, serverEnvironment } from './operating-user.ts';

/**
 * Finds out, as root, whether the server's user reaches the programs and the folder by itself, and gives it
 * the folder then. For that others may pass through the data folder above it; they see no names there, and
 * what lies in it stays closed to them. If it does not reach them, it needs to pass over permissions.
 * @param folder holds all of the server; it is there
 */
export async function giveFolder(
  { uid, gid }: { readonly uid: number; readonly gid: number },
  folder: string,
  binaries: PostgresBinaries,
): Promise<OperatingUser> {
  const user = { uid, gid, passesPermissions: false };
  const above = dirname(folder);
  if (!(await runs(user, binaries.postgres, ['--version'])) || !(await enters(user, dirname(above)))) {
    return { ...user, passesPermissions: true };
  }
  await letPassThrough(above, folder);
  for (const name of ['.', 'password']) {
    // Of a new cluster there is no password yet.
    await chown(join(folder, name), uid, gid).catch(ignoreAbsence);
  }
  return { ...user, passesPermissions: !(await enters(user, folder)) };
}

/** Lets others pass through a folder of ours, on their way to one of those in it. */
async function letPassThrough(above: string, folder: string): Promise<void> {
  const { mode, uid } = await stat(above);
  if (uid !== 0 || (mode & 0o001) !== 0) return;
  for (const name of await readdir(above)) {
    const entry = join(above, name);
    const found = await lstat(entry);
    if (name !== basename(folder) && (found.isDirectory() || found.isFile())) {
      await chmod(entry, found.mode & 0o770);
    }
  }
  await chmod(above, (mode & 0o777) | 0o001);
}

async function enters(user: OperatingUser, folder: string): Promise<boolean> {
  return runs(user, '/bin/sh', ['-c', 'cd -- "$0"', folder]);
}

/** Whether a program ends well as that user. */
async function runs(user: OperatingUser, program: string, parameters: readonly string[]): Promise<boolean> {
  const command = commandAs(user, program, parameters);
  return promisify(execFile)(command.file, command.parameters, { env: serverEnvironment, cwd: '/' }).then(
    () => true,
    () => false,
  );
}

function ignoreAbsence(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
