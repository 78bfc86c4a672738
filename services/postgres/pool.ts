import pg from 'pg';
import type { Logger } from 'pino';
import { openPool, type Purpose } from './connect.ts';

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
const purpose: Purpose = {
  name: 'bubble-im',
  statement: 5_000,
  settings: { jit: 'off', max_parallel_workers_per_gather: '0' },
};

/** How many connections answer queries; the log and the projector have their own. */
const connections = 10;

/**
 * The connections for queries and small writes. They come back by themselves after the server was
 * away; a query that cannot get one, or is not answered, within 5 s fails.
 */
export function createPool(url: string, logger: Logger): pg.Pool {
  return openPool(url, purpose, {
    max: connections,
    types: numbers,
    tell: (reason) => logger.warn({ reason }, 'a database connection broke'),
  });
}
