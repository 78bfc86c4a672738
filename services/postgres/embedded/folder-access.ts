import { execFile } from 'node:child_process';
import { chmod, chown, lstat, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { errorCode } from '../../error-code.ts';
import type { PostgresBinaries } from './binaries.ts';
import { commandAs, type OperatingUser, serverEnvironment } from './operating-user.ts';

/**
 * Makes the server's user the owner of its folder, if it can reach the folder and the programs by itself. For that
 * all users may pass through the data folder above it, but not list or read it. If the user cannot reach them, it has to
 * bypass permissions. Needs to run as root.
 * @param folder the folder for all of the server's files, which exists
 */
export async function giveFolder(
  { uid, gid }: { readonly uid: number; readonly gid: number },
  folder: string,
  binaries: PostgresBinaries,
): Promise<OperatingUser> {
  const user = { uid, gid, bypassesPermissions: false };
  const above = dirname(folder);
  if (!(await runs(user, binaries.postgres, ['--version'])) || !(await enters(user, dirname(above)))) {
    return { ...user, bypassesPermissions: true };
  }
  await letPassThrough(above, folder);
  for (const name of ['.', 'password']) {
    // A new cluster has no password yet.
    await chown(join(folder, name), uid, gid).catch(ignoreAbsence);
  }
  return { ...user, bypassesPermissions: !(await enters(user, folder)) };
}

/** Lets other users pass through our folder to one inside it. */
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

/** Whether a program run as that user exits with 0. */
async function runs(user: OperatingUser, program: string, parameters: readonly string[]): Promise<boolean> {
  const command = commandAs(user, program, parameters);
  return promisify(execFile)(command.file, command.parameters, { env: serverEnvironment, cwd: '/' }).then(
    () => true,
    () => false,
  );
}

function ignoreAbsence(error: unknown): void {
  if (errorCode(error) !== 'ENOENT') throw error;
}
