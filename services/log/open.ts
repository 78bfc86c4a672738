import type { Logger } from 'pino';
import type { Environment } from '../environment.ts';
import { openEventStoreDBLog } from './eventstoredb.ts';
import type { EventLog } from './log.ts';
import { openPostgresLog } from './postgres.ts';

/**
 * Opens the event log where the environment says it is kept: in EventStoreDB, else in the database
 * that the read models are in, too.
 * @throws LogFailure where a Postgres log cannot be reached at first
 */
export async function openLog(
  { eventStoreUrl }: Pick<Environment, 'eventStoreUrl'>,
  databaseUrl: string,
  logger: Logger,
): Promise<EventLog> {
  return eventStoreUrl === undefined
    ? openPostgresLog({ connectionString: databaseUrl, logger })
    : openEventStoreDBLog({ url: eventStoreUrl, logger });
}
