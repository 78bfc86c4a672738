import type { Logger } from 'pino';
import type { Environment } from '../environment.ts';
import type { EventLog, StreamName } from './log.ts';
import { openPostgresLog } from './postgres/postgres-log.ts';
import { prefixedLog } from './prefixed.ts';

/** What names an event log, beside the database of the read models. */
export type LogSource = Pick<Environment, 'eventStoreUrl' | 'streamPrefix'>;

/** A log with the database beside it, in which it lies unless it lies in EventStoreDB. */
export interface LogPlace {
  readonly source: LogSource;
  /** Undefined if no database is known beside a log in EventStoreDB. */
  readonly databaseUrl: string | undefined;
  readonly logger: Logger;
}

/**
 * Opens the event log that the environment names: EventStoreDB if EVENTSTORE_URL is set, else the database
 * of the read models. Names of streams in EventStoreDB begin with STREAM_PREFIX.
 * @param appendTimeoutMs for how long an append is tried, if not for as long as is usual
 * @throws LogFailure if it cannot be reached
 */
export async function openLog(
  { eventStoreUrl, streamPrefix }: LogSource,
  databaseUrl: string,
  logger: Logger,
  { appendTimeoutMs }: { readonly appendTimeoutMs?: number } = {},
): Promise<EventLog> {
  if (eventStoreUrl === undefined) {
    const given = appendTimeoutMs === undefined ? {} : { appendTimeoutMs };
    return openPostgresLog({ connectionString: databaseUrl, logger, ...given });
  }
  // Its client takes longer to load than all else of a command that looks at a log in Postgres.
  const { openEventStoreDBLog } = await import('./eventstoredb/eventstoredb-log.ts');
  const identityStream = `${streamPrefix}installation` as StreamName;
  const timeouts = appendTimeoutMs === undefined ? {} : { appendMs: appendTimeoutMs };
  const log = openEventStoreDBLog({ url: eventStoreUrl, logger, identityStream, timeouts });
  try {
    // Only the first call fails with the real reason; concurrent calls fail with "the connection was closed".
    await log.end();
    return prefixedLog(log, streamPrefix);
  } catch (error) {
    await log.close();
    throw error;
  }
}
