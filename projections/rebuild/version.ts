import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { readMigrations } from '../migrations.ts';

const root = new URL('../../', import.meta.url);

/** Whose files decide what is in the read models. What merely carries rows to Postgres is elsewhere. */
const deciding = ['contracts/', 'projections/', 'services/domain/', 'services/read-models/'];

/** Imports that exist when the program runs: those of types alone do not. */
const imports = /^(?:import|export)\s+(?!type\b)[^;]*?from\s+'(\.[^']+)'/gm;

/**
 * The version of what makes the read models: a hash of their migrations, and of the source of the projections with all
 * that they import of `deciding`. Any change counts, also of a comment: to make the read models again once too often
 * costs time alone.
 */
export async function readModelsVersion(): Promise<string> {
  const hash = createHash('sha256');
  for (const { name, sql } of await readMigrations()) {
    if (/\bread\.\w/.test(sql)) hash.update(`${name}\n${sql}\n`);
  }
  const sources = await sourcesFrom(new URL('projections/index.ts', root));
  for (const [path, source] of [...sources].sort(([one], [other]) => (one < other ? -1 : 1))) {
    hash.update(`${path}\n${source}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

/** The texts of a file and of what it imports, by their paths. */
async function sourcesFrom(file: URL, found = new Map<string, string>()): Promise<Map<string, string>> {
  const path = file.href.slice(root.href.length);
  if (found.has(path) || !deciding.some((folder) => path.startsWith(folder))) return found;
  const source = await readFile(file, 'utf8');
  found.set(path, source);
  for (const [, imported = ''] of source.matchAll(imports)) await sourcesFrom(new URL(imported, file), found);
  return found;
}
