import type { Logger } from 'pino';
import type { Environment } from '../environment.ts';
import { openEventStoreDBLog } from './eventstoredb.ts';
import type { EventLog } from './log.ts';
import { openPostgresLog } from './postgres.ts';

/**
 * Opens the event log where the environment says it is kept: in EventStoreDB, else in the database
 * that the read models are in, too.
 * @throws LogFailure where it cannot be reached at first
 */
export async function openLog(
  { eventStoreUrl }: Pick<Environment, 'eventStoreUrl'>,
  databaseUrl: string,
  logger: Logger,
): Promise<EventLog> {
  if (eventStoreUrl === undefined) return openPostgresLog({ connectionString: databaseUrl, logger });
  const log = openEventStoreDBLog({ url: eventStoreUrl, logger });
  try {
    // The first call alone hears why it fails: those beside it, that the connection was closed.
    await log.end();
    return log;
  } catch (error) {
    await log.close();
    throw error;
  }
}
