import type { Environment } from '../environment.ts';
import type { Manifest } from './manifest.ts';

/*
 * Keys of the environment are in no backup: who keeps them elsewhere does not want copies of them, and a restore could
 * not put them back where they came from. Those that a start made in the data folder are in it.
 */

interface GivenKey {
  /** The file of the data folder in whose place the variables are. */
  readonly file: string;
  readonly variables: string;
  /** What a restored installation is without it. */
  readonly lacking: string;
  readonly isGiven: (environment: Environment) => boolean;
  readonly isNeeded: (manifest: Manifest) => boolean;
}

const keys: readonly GivenKey[] = [
  {
    file: 'app-secret',
    variables: 'APP_KEY and APP_SECRET',
    lacking: 'the first start makes another key, which other backends do not know',
    isGiven: ({ appKeys }) => appKeys !== undefined,
    isNeeded: () => true,
  },
  {
    file: 'audit-key',
    variables: 'AUDIT_KEY',
    lacking: 'heads of the log are signed by another key, for which AUDIT_ORIGIN must be another, too',
    isGiven: ({ auditKey }) => auditKey !== undefined,
    isNeeded: ({ head }) => head !== null,
  },
];

/** The variables that give keys, which a backup does not hold. */
export function givenKeys(environment: Environment): string[] {
  return keys.filter(({ isGiven }) => isGiven(environment)).map(({ variables }) => variables);
}

/** What is to be given before a restored installation is started, with the reason: a text for each key. */
export function lackingKeys(manifest: Manifest, environment: Environment): string[] {
  return keys
    .filter(({ file, isGiven, isNeeded }) => {
      const kept = manifest.keys.some(({ name }) => name === file);
      return !kept && !isGiven(environment) && isNeeded(manifest);
    })
    .map(
      ({ variables, lacking }) =>
        `Not in the backup: ${variables}. Give it before the first start, else ${lacking}.`,
    );
}
