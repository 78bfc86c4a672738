import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { lockDataFolder } from '../services/data-folder.ts';
import type { Environment } from '../services/environment.ts';
import { postgresFolder } from '../services/installation.ts';
import { runningEmbeddedUrl, startEmbeddedPostgres } from '../services/postgres/embedded/embedded.ts';

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
  const folder = await lockDataFolder(dataFolder);
  const server = await startEmbeddedPostgres({ folder: postgresFolder(folder.path), logger });
  try {
    return await use(server.url);
  } finally {
    await server.stop();
    await folder.release();
  }
}

/**
 * The same for a command that only looks, or makes again what is made of the log: it must not make a database that is
 * then empty.
 * @throws Error, in words for who runs the script, if there is none, and what `use` throws
 */
export async function withExistingDatabase<Result>(
  environment: Environment,
  logger: Logger,
  use: (url: string) => Promise<Result>,
): Promise<Result> {
  mustHaveDatabase(environment);
  return withDatabase(environment, logger, use);
}

/**
 * The database beside a log in EventStoreDB, which a command may do without: that of DATABASE_URL, or that of the program
 * that runs on the data folder; undefined if there is neither.
 */
export async function databaseBesideEventStore({
  databaseUrl,
  dataFolder,
}: Environment): Promise<string | undefined> {
  return databaseUrl ?? runningEmbeddedUrl(postgresFolder(dataFolder)).catch(() => undefined);
}

function mustHaveDatabase({ databaseUrl, dataFolder }: Environment): void {
  if (databaseUrl !== undefined || existsSync(postgresFolder(dataFolder))) return;
  throw new Error(
    `there is no installation in ${dataFolder}: set DATA_DIR, or the variables that name its servers`,
  );
}

/** How often it is looked whether a program runs, in milliseconds. */
const lookEvery = 250;

/**
 * Hands `use` the database of DATABASE_URL, or that of the program that runs on the data folder. Waits
 * until one does, and never holds the folder itself: for scripts that go on for long, which must not keep
 * the program from starting.
 * @param signal ends the waiting
 * @throws Error, in words for who runs the script, and what `use` throws
 */
export async function withRunningDatabase(
  environment: Environment,
  logger: Logger,
  signal: AbortSignal,
  use: (url: string) => Promise<void>,
): Promise<void> {
  mustHaveDatabase(environment);
  const { databaseUrl, dataFolder } = environment;
  let url = databaseUrl;
  for (let logged = false; url === undefined && !signal.aborted; ) {
    // While the program starts, its database may refuse connections.
    url = await runningEmbeddedUrl(postgresFolder(dataFolder)).catch(() => undefined);
    if (url !== undefined) break;
    if (!logged) logger.warn({ dataFolder }, 'waiting for bubble-im to run on this data folder');
    logged = true;
    await delay(lookEvery, undefined, { signal }).catch(() => undefined);
  }
  if (url !== undefined) await use(url);
}
