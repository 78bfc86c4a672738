import type { Logger } from 'pino';
import { type Environment, readEnvironment } from '../services/environment.ts';
import type { EventLog } from '../services/log/log.ts';
import { type AskedLog, withAskedLog } from './cli/asked-log.ts';
import { openCommandLogger } from './cli/logger.ts';
import { warnOfMissingIndex } from './cli/missing-index.ts';
import { openOwnLog } from './cli/own-log.ts';
import { databaseBesideEventStore, withExistingDatabase, withRunningDatabase } from './with-database.ts';

/**
 * Hands `use` the log that the environment names, while the system runs or at rest, and its database if
 * there is one.
 * @throws Error, in words for who runs the script, and what `use` throws
 */
export function withLog(
  use: (log: EventLog, databaseUrl: string | undefined) => Promise<void>,
): Promise<void> {
  return withPlaceOfLog(async ({ environment, logger }, url) => {
    const log = await openOwnLog({ source: environment, databaseUrl: url, logger, unnamed: 'refused' });
    try {
      await use(log, url);
    } finally {
      await log.close();
    }
  });
}

/**
 * The same for a command that only reads the log, which records its use there.
 * @param following given by a command that goes on for long: an embedded database is then waited for until it runs, or
 *   the signal comes, and is never started
 */
export function withLogToAsk(
  command: string,
  ask: (asked: AskedLog, databaseUrl: string | undefined) => Promise<void>,
  following?: AbortSignal,
): Promise<void> {
  return withPlaceOfLog(
    ({ environment, logger }, url) =>
      withAskedLog({ command, source: environment, databaseUrl: url, logger }, (asked) => ask(asked, url)),
    following,
  );
}

interface Given {
  readonly environment: Environment;
  readonly logger: Logger;
}

async function withPlaceOfLog(
  use: (given: Given, databaseUrl: string | undefined) => Promise<void>,
  following?: AbortSignal,
): Promise<void> {
  const environment = readEnvironment();
  const logger = await openCommandLogger(environment);
  const useLogOf = (url: string | undefined) => use({ environment, logger }, url);
  if (environment.eventStoreUrl !== undefined) {
    await useLogOf(await databaseBesideEventStore(environment));
    return;
  }
  const useDatabase = async (url: string) => {
    await warnOfMissingIndex(url);
    await useLogOf(url);
  };
  if (following) await withRunningDatabase(environment, logger, following, useDatabase);
  else await withExistingDatabase(environment, logger, useDatabase);
}
