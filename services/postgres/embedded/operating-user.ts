import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The user of the operating system that the server runs as, if it is not ours. */
export interface OperatingUser {
  readonly uid: number;
  readonly gid: number;
  /** Whether it runs with the capability to bypass permissions, since it could not reach its files otherwise. */
  readonly bypassesPermissions: boolean;
}

/** "nobody", whose numbers are the same on all systems with setpriv; initdb needs a user with a name. */
const nobody = { uid: 65534, gid: 65534 };

/**
 * The user that the server of a folder runs as; null for our own. Postgres refuses to run as root: then it is the
 * owner of the existing data, or nobody.
 * @throws Error with a message for the operator, if the data belong to a user that cannot run the server
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
 * The command that runs a program as that user. With the capability it reaches binaries and data below folders that
 * only root may enter, such as a checkout in /root; it is never root.
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
      ...(user.bypassesPermissions ? capability : []),
      ...['--', program, ...parameters],
    ],
  };
}

/** The error if the command of `commandAs` could not be started. */
export function commandFailure(user: OperatingUser | null, program: string, cause: Error): Error {
  if (user === null) return new Error(`cannot run ${program}: ${cause.message}`, { cause });
  return new Error(
    'as root the embedded Postgres is run as another user by setpriv (Debian: util-linux), which is missing: ' +
      'install it, start as another user, or set DATABASE_URL',
    { cause },
  );
}

/**
 * How glibc's malloc keeps memory that a process of Postgres has freed, in bytes. By default it gives it back to the system
 * from 128 KB on, which each batch of events reaches: to get it again for the next one, page by page, took a third of the
 * batch's processor time.
 */
const mallocTunables = {
  MALLOC_TOP_PAD_: `${256 * 1024}`,
  MALLOC_TRIM_THRESHOLD_: `${2 * 1024 * 1024}`,
  MALLOC_MMAP_THRESHOLD_: `${1024 * 1024}`,
};

/** The server gets none of our own environment, which contains secrets. */
export const serverEnvironment = {
  LC_ALL: 'C',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  ...mallocTunables,
};
