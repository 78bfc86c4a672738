import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorCode } from '../../error-code.ts';
import { makeFolder } from '../../make-folder.ts';
import type { PostgresBinaries } from './binaries.ts';
import { giveFolder } from './folder-access.ts';
import {
  commandAs,
  commandFailure,
  type OperatingUser,
  operatingUserFor,
  serverEnvironment,
} from './operating-user.ts';

/** A Postgres cluster on disk, for which a server can be started. */
export interface Cluster {
  /** Postgres' data directory. */
  readonly dataFolder: string;
  /** Identifies the processes of this cluster among all on the machine. */
  readonly name: string;
  readonly password: string;
  readonly user: OperatingUser | null;
}

/** The role that owns everything in a cluster. */
export const superuser = 'postgres';

/**
 * Opens the cluster in a folder, and creates it if there is none. A new one is created under another name and renamed
 * when complete, so that a kill leaves no half of one. Only the process that holds the folder's lock may call it.
 * @param durable whether a new cluster must survive a power cut
 * @throws Error with a message for the operator
 */
export async function openCluster(
  folder: string,
  binaries: PostgresBinaries,
  durable: boolean,
): Promise<Cluster> {
  await makeFolder(folder);
  const dataFolder = join(folder, 'data');
  const other = await operatingUserFor(dataFolder);
  const user = other && (await giveFolder(other, folder, binaries));
  const exists = await stat(join(dataFolder, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
  await removeUnfinished(folder);
  if (!exists) await createCluster(folder, dataFolder, user, binaries, durable);
  await mustFitVersion(dataFolder, binaries);
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
    // The same order of texts on every machine, whatever its locales.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(durable ? [] : ['--no-sync']),
  ]);
  try {
    await promisify(execFile)(command.file, command.parameters, { env: serverEnvironment, cwd: '/' });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (errorCode(error) === 'ENOENT') throw commandFailure(user, binaries.initdb, error);
    // The message of the error would also repeat the command.
    const output = 'stderr' in error ? String(error.stderr).trim() : error.message;
    throw new Error(`the embedded Postgres could not create its data in ${folder}: ${output}`);
  }
  await rename(unfinished, dataFolder);
  if (durable) await syncFolder(folder);
}

async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith('new-')) continue;
    // If an initdb whose parent was just killed still writes to it, the next start removes it.
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

/** The password of all roles of a folder's cluster. */
export async function readPassword(folder: string): Promise<string> {
  const file = join(folder, 'password');
  const password = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Error(`cannot read ${file}, the password of the embedded Postgres beside it`, { cause });
  });
  return password.trim();
}

/**
 * A server cannot use the files of another major version.
 * @throws Error with a message for the operator
 */
export async function mustFitVersion(
  dataFolder: string,
  binaries: Pick<PostgresBinaries, 'postgres'>,
): Promise<void> {
  const found = (await readFile(join(dataFolder, 'PG_VERSION'), 'utf8')).trim();
  const { stdout } = await promisify(execFile)(binaries.postgres, ['--version'], { env: serverEnvironment });
  const ours = / (\d+)[.\w]*$/.exec(stdout.trim())?.[1];
  if (found !== ours) {
    throw new Error(
      `${dataFolder} was made by Postgres ${found}, the embedded one is ${ours}: move the data by npm run backup of the version before, and npm run restore`,
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
