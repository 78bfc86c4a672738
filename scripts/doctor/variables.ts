import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { distance } from 'fastest-levenshtein';
import { environmentFaults, variableNames } from '../../services/environment-variables.ts';
import { isMissing } from '../../services/files/local-folder.ts';
import { type Finding, findings } from './finding.ts';

const about = 'variables';
const { ok, warning, fault } = findings(about);

/** Variables that others read: Node, npm, the SDKs of Amazon and of OpenTelemetry, the system. */
const othersRead =
  /^(NODE|NPM|npm|AWS|OTEL|LC)_|^(PATH|HOME|USER|SHELL|LANG|TZ|TMPDIR|NO_COLOR|FORCE_COLOR|HTTPS?_PROXY|NO_PROXY|SSL_CERT_(FILE|DIR))$/;

/** A name that differs from one of ours by this many letters at most is taken for a misspelt one. */
const maxMisspeltLetters = 2;

/** The lines of `.env` as `npm run` reads them; none if there is no such file. */
export function readEnvFile(file: string): Readonly<Record<string, string | undefined>> {
  try {
    return parseEnv(readFileSync(file, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return {};
    throw error;
  }
}

/**
 * Whether all variables can be read, whether some are misspelt, and which of `.env` do not count.
 * @param given those of the process, to which npm has added the lines of `.env`
 * @param file the lines of `.env`
 */
export function examineVariables(
  given: Readonly<Record<string, string | undefined>>,
  file: Readonly<Record<string, string | undefined>>,
): Finding[] {
  const faults = environmentFaults(given).map((text) =>
    fault(text, 'correct it: docs/operations.md, Variables'),
  );
  const unread = Object.keys(given).flatMap((name) => {
    if (variableNames.includes(name) || othersRead.test(name)) return [];
    const meant = variableNames.find((ours) => isAlmost(name, ours));
    if (meant !== undefined) return [warning(`${name} is read by nothing`, `did you mean ${meant}?`)];
    const inFile = file[name] !== undefined;
    return inFile ? [warning(`.env has ${name}, which is read by nothing`, 'remove the line')] : [];
  });
  const covered = variableNames
    .filter((name) => file[name] !== undefined && given[name] !== undefined && file[name] !== given[name])
    .map((name) =>
      warning(
        `${name} is in .env and, with another value, in the environment, which counts`,
        'remove one of the two',
      ),
    );
  const all = [...faults, ...unread, ...covered];
  const set = variableNames.filter((name) => given[name]);
  return all.length > 0 ? all : [ok(set.length === 0 ? 'all have their defaults' : set.join(', '))];
}

/** Whether a name is one of ours with a slip in it. Short names differ from many words by two letters. */
function isAlmost(name: string, ours: string): boolean {
  const allowed = ours.length <= 5 ? 1 : maxMisspeltLetters;
  return name.toUpperCase() === ours || (/^[A-Z]/.test(name) && distance(name, ours) <= allowed);
}
