import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { AtEnd } from './at-end.ts';
import { temporaryFolder } from './folder.ts';

/**
 * The commit before the one that added the latest migration: the version of the program that runs beside it in a rolling
 * update. Undefined if git or that part of the history is not there, or if it needs packages that are not installed any
 * more.
 */
export const versionBefore = commitBeforeLatestMigration();

function commitBeforeLatestMigration(): string | undefined {
  try {
    const added = ['log', '-1', '--diff-filter=A', '--format=%H', '--', 'projections/migrations/*.sql'];
    const commit = git(added).trim();
    const before = git(['rev-parse', '--verify', '--quiet', `${commit}^`]).trim();
    const needed = majorsOf(git(['show', `${before}:package.json`]));
    const installed = majorsOf(readFileSync('package.json', 'utf8'));
    return [...needed].every(([name, major]) => installed.get(name) === major) ? before : undefined;
  } catch {
    return undefined;
  }
}

/** The packages that a program needs, with their major versions. */
function majorsOf(text: string): ReadonlyMap<string, string | undefined> {
  const { dependencies } = z
    .object({ dependencies: z.record(z.string(), z.string()) })
    .parse(JSON.parse(text));
  // Node itself may be the machine's.
  const libraries = Object.entries(dependencies).filter(([name]) => name !== 'node');
  return new Map(libraries.map(([name, version]) => [name, /\d+/.exec(version)?.[0]]));
}

/** Checks a commit out into a folder, with the packages of this one. */
export async function checkOut(commit: string, atEnd: AtEnd): Promise<string> {
  const folder = await temporaryFolder(atEnd);
  const index = { GIT_INDEX_FILE: join(folder, '.index') };
  git(['read-tree', commit], index);
  git(['checkout-index', '--all', `--prefix=${folder}/`], index);
  await symlink(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

function git(parameters: readonly string[], environment: Readonly<Record<string, string>> = {}): string {
  return execFileSync('git', parameters, {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}
