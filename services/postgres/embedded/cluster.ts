import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresBinaries } from './binaries.ts';
import { giveFolder } from './folder-access.ts';
import {
  commandAs,
  commandFailure,
  type OperatingUser,
  operatingUserFor,
  serverEnvironment,
} from './operating-user.ts';

/** A Postgres cluster on disk, ready to be served. */
export interface Cluster {
  /** What Postgres calls its data directory. */
  readonly dataFolder: string;
  /** Marks the processes of this cluster among all of the machine. */
  readonly name: string;
  readonly password: string;
  readonly user: OperatingUser | null;
}

/** The role that owns everything in a cluster. */
export const superuser = 'postgres';

/**
 * Opens the cluster in a folder, and makes it where there is none. A new one is made beside its place
 * and moved there when whole, so that a kill in the midst leaves nothing half made. To be called by
 * the holder of the folder alone.
 * @param durable whether a new cluster is to be safe against a power cut.
 * @throws Error, in words for who starts the program.
 */
export async function openCluster(
  folder: string,
  binaries: PostgresBinaries,
  durable: boolean,
): Promise<Cluster> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const dataFolder = join(folder, 'data');
  const other = await operatingUserFor(dataFolder);
  const user = other && (await giveFolder(other, folder, binaries));
  const exists = await stat(join(dataFolder, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
  await removeUnfinished(folder);
  if (!exists) await createCluster(folder, dataFolder, user, binaries, durable);
  await checkVersion(dataFolder, binaries);
  const { dev, ino } = await stat(folder);
  return {
    dataFolder,
    name: `bubble-im-${dev.toString(36)}-${ino.toString(36)}`,
    password: await readPassword(folder),
    user,
  };
}

async function createCluster(
  folder: string,
  dataFolder: string,
  user: OperatingUser | null,
  binaries: PostgresBinaries,
  durable: boolean,
): Promise<void> {
  await writePassword(folder);
  if (user !== null) await chown(join(folder, 'password'), user.uid, user.gid);
  const unfinished = await mkdtemp(join(folder, 'new-'));
  if (user !== null) await chown(unfinished, user.uid, user.gid);
  const command = commandAs(user, binaries.initdb, [
    `--pgdata=${unfinished}`,
    `--username=${superuser}`,
    `--pwfile=${join(folder, 'password')}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The same order of texts on every machine, whatever locales it has.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(durable ? [] : ['--no-sync']),
  ]);
  try {
    await promisify(execFile)(command.file, command.parameters, { env: serverEnvironment, cwd: '/' });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if ('code' in error && error.code === 'ENOENT') throw commandFailure(user, binaries.initdb, error);
    // The error itself would repeat the command and what it told.
    const told = 'stderr' in error ? String(error.stderr).trim() : error.message;
    throw new Error(`the embedded Postgres could not make its data in ${folder}: ${told}`);
  }
  await rename(unfinished, dataFolder);
  if (durable) await syncFolder(folder);
}

async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith('new-')) continue;
    // One that is still being written to, by an initdb whose parent was killed just now, goes next time.
    await rm(join(folder, name), { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  }
}

async function writePassword(folder: string): Promise<void> {
  const file = await open(join(folder, 'password'), 'w', 0o600);
  try {
    await file.writeFile(`${randomBytes(24).toString('hex')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The password of all roles of the cluster in a folder. */
export async function readPassword(folder: string): Promise<string> {
  const file = join(folder, 'password');
  const password = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Error(`cannot read ${file}, the password of the embedded Postgres beside it`, { cause });
  });
  return password.trim();
}

/** The files of one major version cannot be served by another. */
async function checkVersion(dataFolder: string, binaries: PostgresBinaries): Promise<void> {
  const found = (await readFile(join(dataFolder, 'PG_VERSION'), 'utf8')).trim();
  const { stdout } = await promisify(execFile)(binaries.postgres, ['--version'], { env: serverEnvironment });
  const ours = / (\d+)[.\w]*$/.exec(stdout.trim())?.[1];
  if (found !== ours) {
    throw new Error(
      `${dataFolder} was made by Postgres ${found}, the embedded one is ${ours}: move the data with pg_dump`,
    );
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
