import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { loadAppKeys } from '../../services/app-keys/app-keys.ts';
import { findAuditSigner } from '../../services/audit/tree/audit-key.ts';
import { keyFiles } from '../../services/backup/make-backup.ts';
import { holderOf, mustBeOurs } from '../../services/data-folder.ts';
import type { Environment, KeyPair } from '../../services/environment.ts';
import { postgresFolder } from '../../services/installation.ts';
import { isAlive } from '../../services/postgres/embedded/alive.ts';
import { findNativeFolder } from '../../services/postgres/embedded/binaries.ts';
import { mustFitVersion } from '../../services/postgres/embedded/cluster.ts';
import { commandFailure, operatingUserFor } from '../../services/postgres/embedded/operating-user.ts';
import { type Finding, findings } from './finding.ts';

const { ok, warning, fault, refused } = findings('data folder');

/** Whether the data folder belongs to us, and what lies in it can be used. */
export async function examineDataFolder(environment: Environment): Promise<Finding[]> {
  const { dataFolder } = environment;
  if (!existsSync(dataFolder)) return [await examineMissing(dataFolder)];
  try {
    await mustBeOurs(dataFolder);
    await findAppKeys(environment);
    await findAuditSigner(environment);
  } catch (error) {
    return [refused(error)];
  }
  const holder = await holderOf(dataFolder);
  const use = holder !== undefined && isAlive(holder) ? `in use by the process ${holder}` : 'not in use';
  return [ok(`${dataFolder}, ${use}`), ...(await examineKeyFiles(dataFolder))];
}

/** The first start makes the folder. */
async function examineMissing(dataFolder: string): Promise<Finding> {
  const above = nearestFolder(dataFolder);
  try {
    await access(above, constants.W_OK);
    return ok(`${dataFolder} is not there yet: the first start makes it`);
  } catch {
    return fault(`${dataFolder} cannot be made: ${above} may not be written`, 'give the folder to this user');
  }
}

/** The folder itself, or the nearest one above it that exists. */
export function nearestFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path));
}

/** The server's key as a start reads it; undefined if one would be made. @throws Error with a message for the operator */
export async function findAppKeys({ dataFolder, appKeys }: Environment): Promise<KeyPair | undefined> {
  if (appKeys !== undefined) return appKeys;
  return existsSync(join(dataFolder, 'app-secret')) ? loadAppKeys(dataFolder, undefined) : undefined;
}

async function examineKeyFiles(dataFolder: string): Promise<Finding[]> {
  const open = await Promise.all(
    keyFiles.map(async (name) => {
      const file = join(dataFolder, name);
      const found = await stat(file).catch(() => undefined);
      if (found === undefined || (found.mode & 0o077) === 0) return [];
      return [warning(`${file} can be read by other users of this machine`, `chmod 600 '${file}'`)];
    }),
  );
  return open.flat();
}

/** Whether the Postgres that comes with the program can be started on its data; it is not started. */
export async function examineEmbedded({ dataFolder }: Environment): Promise<Finding[]> {
  const about = findings('database');
  const data = join(postgresFolder(dataFolder), 'data');
  try {
    const binaries = { postgres: join(findNativeFolder(), 'bin', 'postgres') };
    const user = await operatingUserFor(data);
    if (user !== null) {
      await promisify(execFile)('setpriv', ['--version']).catch((error: Error) => {
        throw commandFailure({ ...user, bypassesPermissions: false }, binaries.postgres, error);
      });
    }
    if (!existsSync(data)) return [about.ok('the embedded Postgres is made at the first start')];
    await mustFitVersion(data, binaries);
  } catch (error) {
    return [about.refused(error)];
  }
  return [about.ok('the embedded Postgres is at rest; what is in it is examined while the program runs')];
}
