import pg from 'pg';
import type { Logger } from 'pino';
import { openPool, type Purpose } from './connect.ts';

const int8: number = 20;
const int8Array: number = 1016;

/** Ids and counts stay below 2^53, so bigint columns are parsed as numbers. */
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
 * Queries are short and find their rows by keys. If Postgres expects one to be long, starting workers or
 * compiling it costs many times as much as the query.
 */
const purpose: Purpose = {
  name: 'bubble-im',
  statementTimeoutMs: 5_000,
  settings: { jit: 'off', max_parallel_workers_per_gather: '0' },
};

/** Connections for queries; the log and the projector have their own. */
const maxConnections = 10;

/**
 * The pool for queries and small writes. It reconnects by itself after an outage of the server; a query that
 * cannot get a connection, or is not answered, within 5 s fails.
 */
export function createPool(url: string, logger: Logger): pg.Pool {
  return openPool(url, purpose, {
    max: maxConnections,
    types: numbers,
    onBroken: (reason) => logger.warn({ reason }, 'a database connection broke'),
  });
}
