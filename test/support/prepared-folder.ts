import { execFile } from 'node:child_process';
import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { inject, onTestFinished } from 'vitest';
import { migrate } from '../../projections/migrate.ts';
import { postgresFolder } from '../../services/installation.ts';
import { startEmbeddedPostgres } from '../../services/postgres/embedded/embedded.ts';
import { silent } from './accounts.ts';
import type { AtEnd } from './at-end.ts';
import { temporaryFolder } from './folder.ts';

/**
 * A data folder whose embedded Postgres has all tables and nothing in them: the program starts on it as at its first
 * start, but need not make them, which takes seconds. It is a copy of the run's, which the first who asks makes.
 */
export async function preparedFolder(atEnd: AtEnd = onTestFinished): Promise<string> {
  const model = inject('preparedFolder');
  if (!(await exists(model))) await makeModel(model);
  const folder = await temporaryFolder(atEnd);
  // As root, Postgres runs as another user, to whom the files belong.
  await promisify(execFile)('cp', ['-a', postgresFolder(model), folder]);
  return folder;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Others may make it at the same time: the first that is complete is taken. */
async function makeModel(model: string): Promise<void> {
  const folder = await mkdtemp(join(dirname(model), 'making-'));
  const settings = { fsync: 'off' };
  const postgres = await startEmbeddedPostgres({ folder: postgresFolder(folder), logger: silent, settings });
  try {
    await migrate(postgres.url);
  } finally {
    await postgres.stop();
  }
  await rename(folder, model).catch(async (error: unknown) => {
    if (!(await exists(model))) throw error;
    await rm(folder, { recursive: true, force: true });
  });
}
