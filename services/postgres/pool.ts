import pg from 'pg';
import type { Logger } from 'pino';

const int8: number = 20;
const int8Array: number = 1016;

/** Ids and counts stay below 2^53, so a bigint column is a number here. */
const numbers: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => {
    if (format !== 'binary') {
      if (oid === int8) return Number;
      if (oid === int8Array)
        return (value: string) => value.slice(1, -1).split(',').filter(Boolean).map(Number);
    }
    return pg.types.getTypeParser(oid, format);
  },
};

/**
 * Queries are short and find their rows by keys. Where Postgres guesses that one is long, to start
 * workers or to compile it costs many times what the query does.
 */
const settings = '-c jit=off -c max_parallel_workers_per_gather=0';

/** How many connections answer queries; the log and the projector have their own. */
const connections = 10;

/**
 * The connections for queries and small writes. They come back by themselves after the server was
 * away; a query that cannot get one within 5 s fails.
 */
export function createPool(url: string, logger: Logger): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    types: numbers,
    connectionTimeoutMillis: 5000,
    application_name: 'bubble-im',
    options: settings,
  });
  hearErrors(pool, (reason) => logger.warn({ reason }, 'a database connection broke'));
  return pool;
}

/**
 * Hears the errors of a pool's connections, each of which would end the process where nobody does. An
 * idle one that breaks is told, and replaced at the next query. Of one that is taken out its query
 * tells; but between two queries, or when one has just ended, as in a restart under load, none is there.
 */
export function hearErrors(pool: pg.Pool, tell: (reason: string) => void): void {
  pool.on('error', ({ message }) => {
    if (!pool.ending) tell(message);
  });
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
  });
}
