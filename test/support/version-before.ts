import { execFileSync } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { AtEnd } from './at-end.ts';
import { temporaryFolder } from './folder.ts';

/**
 * The commit before the one that added the latest migration: the version of the program that runs beside it in a rolling
 * update. Undefined if git or that part of the history is not there.
 */
export const versionBefore = commitBeforeLatestMigration();

function commitBeforeLatestMigration(): string | undefined {
  try {
    const added = ['log', '-1', '--diff-filter=A', '--format=%H', '--', 'projections/migrations/*.sql'];
    const commit = git(added).trim();
    return git(['rev-parse', '--verify', '--quiet', `${commit}^`]).trim();
  } catch {
    return undefined;
  }
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
