import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A user of the operating system that the server is to run as, where it is not the one we are. */
export interface OperatingUser {
  readonly uid: number;
  readonly gid: number;
  /** Whether it may pass over permissions, because it could not reach its programs or its data otherwise. */
  readonly passesPermissions: boolean;
}

/** "nobody" by number, which is the same on all systems that know setpriv; initdb wants one with a name. */
const nobody = { uid: 65534, gid: 65534 };

/**
 * Who the server of a folder runs as: null for ourselves. Postgres refuses to run as root; then it is
 * the owner of the data that are there, or nobody.
 * @throws Error, which says what to do, where the data belong to a user who cannot be the server's
 */
export async function operatingUserFor(dataFolder: string): Promise<{ uid: number; gid: number } | null> {
  const ours = process.getuid?.() ?? 0;
  const found = await stat(dataFolder).catch(() => undefined);
  if (ours !== 0) {
    if (found !== undefined && found.uid !== ours) {
      throw new Error(
        `${dataFolder} belongs to the user ${found.uid}, not to ${ours}: start as that user, or, if it is a copy ` +
          `that root made, run as root: chown -R ${ours} '${dirname(dirname(dataFolder))}'`,
      );
    }
    return null;
  }
  if (found === undefined) return nobody;
  if (found.uid === 0) {
    throw new Error(
      `${dataFolder} belongs to root, as a copy does that was made without its owners, and Postgres does not run as ` +
        `root: run chown -R ${nobody.uid}:${nobody.gid} '${dataFolder}' && chmod 700 '${dataFolder}', ` +
        'and copy with cp -a next time',
    );
  }
  return { uid: found.uid, gid: found.gid };
}

/** A program with its parameters. */
export interface Command {
  readonly file: string;
  readonly parameters: readonly string[];
}

/**
 * The command that runs a program as that user. With the capability it reaches its binaries and data
 * below folders that only root may enter (a checkout in /root); it never becomes root.
 */
export function commandAs(
  user: OperatingUser | null,
  program: string,
  parameters: readonly string[],
): Command {
  if (user === null) return { file: program, parameters };
  const capability = [
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
    '--securebits=+no_setuid_fixup',
  ];
  return {
    file: 'setpriv',
    parameters: [
      ...[`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'],
      ...(user.passesPermissions ? capability : []),
      ...['--', program, ...parameters],
    ],
  };
}

/** What to tell when the command of `commandAs` could not be run at all. */
export function commandFailure(user: OperatingUser | null, program: string, cause: Error): Error {
  if (user === null) return new Error(`cannot run ${program}: ${cause.message}`, { cause });
  return new Error(
    'as root the embedded Postgres is run as another user by setpriv (Debian: util-linux), which is missing: ' +
      'install it, start as another user, or set DATABASE_URL',
    { cause },
  );
}

/** Nothing of our own environment, secrets least of all, is handed to the server. */
export const serverEnvironment = {
  LC_ALL: 'C',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
};
