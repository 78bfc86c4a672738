import type { Logger } from 'pino';
import type { Environment } from '../environment.ts';
import { openEventStoreDBLog } from './eventstoredb/eventstoredb-log.ts';
import type { EventLog, StreamName } from './log.ts';
import { openPostgresLog } from './postgres/postgres-log.ts';
import { prefixedLog } from './prefixed.ts';

/**
 * Opens the event log where the environment says it is kept: in EventStoreDB, else in the database
 * that the read models are in, too. Streams in EventStoreDB have names that begin with STREAM_PREFIX.
 * @throws LogFailure where it cannot be reached at first
 */
export async function openLog(
  { eventStoreUrl, streamPrefix }: Pick<Environment, 'eventStoreUrl' | 'streamPrefix'>,
  databaseUrl: string,
  logger: Logger,
): Promise<EventLog> {
  if (eventStoreUrl === undefined) return openPostgresLog({ connectionString: databaseUrl, logger });
  const identityStream = `${streamPrefix}installation` as StreamName;
  const log = openEventStoreDBLog({ url: eventStoreUrl, logger, identityStream });
  try {
    // The first call alone hears why it fails: those beside it, that the connection was closed.
    await log.end();
    return prefixedLog(log, streamPrefix);
  } catch (error) {
    await log.close();
    throw error;
  }
}
