import { stat } from 'node:fs/promises';

/** A user of the operating system that the server is to run as, where it is not the one we are. */
export interface OperatingUser {
  readonly uid: number;
  readonly gid: number;
}

/** "nobody" by number, which is the same on all systems that know setpriv; initdb wants one with a name. */
const nobody: OperatingUser = { uid: 65534, gid: 65534 };

/**
 * Who the server of a folder runs as: null for ourselves. Postgres refuses to run as root; then it is
 * the owner of the data that are there, or nobody.
 * @throws Error where the data belong to another user and we are not root.
 */
export async function operatingUserFor(dataFolder: string): Promise<OperatingUser | null> {
  const ours = process.getuid?.() ?? 0;
  const found = await stat(dataFolder).catch(() => undefined);
  if (ours === 0) return found === undefined || found.uid === 0 ? nobody : { uid: found.uid, gid: found.gid };
  if (found !== undefined && found.uid !== ours) {
    throw new Error(`${dataFolder} belongs to the user ${found.uid}, not to ${ours}: start as that user`);
  }
  return null;
}

/**
 * The command that runs a program as that user. The capability lets it reach its binaries and data
 * below folders that only root may enter (a checkout in /root); it never becomes root.
 */
export function commandAs(
  user: OperatingUser | null,
  program: string,
  parameters: readonly string[],
): { readonly file: string; readonly parameters: readonly string[] } {
  if (user === null) return { file: program, parameters };
  return {
    file: 'setpriv',
    parameters: [
      `--reuid=${user.uid}`,
      `--regid=${user.gid}`,
      '--clear-groups',
      '--inh-caps=+dac_override',
      '--ambient-caps=+dac_override',
      '--securebits=+no_setuid_fixup',
      '--',
      program,
      ...parameters,
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
