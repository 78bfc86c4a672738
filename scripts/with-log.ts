import { existsSync } from 'node:fs';
import { readEnvironment } from '../services/environment.ts';
import { postgresFolder } from '../services/installation.ts';
import type { EventLog } from '../services/log/log.ts';
import { openLog } from '../services/log/open.ts';
import { runningEmbeddedUrl } from '../services/postgres/embedded/embedded.ts';
import { openCommandLogger } from './cli/logger.ts';
import { recordingTimeoutMs } from './cli/use.ts';
import { withDatabase, withRunningDatabase } from './with-database.ts';

/**
 * Hands `use` the log that the environment names, while the system runs or at rest, and its database if
 * there is one.
 * @param following given by who goes on for long: an embedded database is then waited for until it runs, or
 *   the signal comes, and is never started
 * @throws Error, in words for who runs the script, and what `use` throws
 */
export async function withLog(
  use: (log: EventLog, databaseUrl: string | undefined) => Promise<void>,
  following?: AbortSignal,
): Promise<void> {
  const environment = readEnvironment();
  const logger = await openCommandLogger(environment);
  const { databaseUrl, eventStoreUrl, dataFolder } = environment;
  // Looking must not make what it looks for.
  if (!databaseUrl && !eventStoreUrl && !existsSync(postgresFolder(dataFolder))) {
    throw new Error(`there is no log in ${dataFolder}: set DATA_DIR, DATABASE_URL or EVENTSTORE_URL`);
  }
  const useLogOf = async (url: string | undefined) => {
    const log = await openLog(environment, url ?? '', logger, { appendTimeoutMs: recordingTimeoutMs });
    try {
      await use(log, url);
    } finally {
      await log.close();
    }
  };
  if (eventStoreUrl !== undefined) {
    // The log in EventStoreDB needs no database: the one of a program that runs is named if there is one.
    const running = () => runningEmbeddedUrl(postgresFolder(dataFolder)).catch(() => undefined);
    await useLogOf(databaseUrl ?? (await running()));
  } else if (following) await withRunningDatabase(environment, logger, following, useLogOf);
  else await withDatabase(environment, logger, useLogOf);
}
