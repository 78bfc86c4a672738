import type { Logger } from 'pino';
import { holdDataFolder } from '../services/data-folder.ts';
import type { Environment } from '../services/environment.ts';
import { postgresFolder } from '../services/installation.ts';
import { runningEmbeddedUrl, startEmbeddedPostgres } from '../services/postgres/embedded.ts';

/**
 * Hands `use` the database of DATABASE_URL, or that of the data folder: the one that a running program
 * has, else one that runs only meanwhile.
 * @throws Error, in words for who runs the script, and what `use` throws
 */
export async function withDatabase<Result>(
  { databaseUrl, dataFolder }: Environment,
  logger: Logger,
  use: (url: string) => Promise<Result>,
): Promise<Result> {
  const url = databaseUrl ?? (await runningEmbeddedUrl(postgresFolder(dataFolder)));
  if (url !== undefined) return use(url);
  const folder = await holdDataFolder(dataFolder);
  const server = await startEmbeddedPostgres({ folder: postgresFolder(folder.path), logger });
  try {
    return await use(server.url);
  } finally {
    await server.stop();
    await folder.release();
  }
}
