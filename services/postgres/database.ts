import type { Pool } from 'pg';

/** What the gateway needs of a `pg` pool: single statements, and a client of its own for a transaction. */
export type Database = Pick<Pool, 'query' | 'connect'>;

/** What reading needs of a `pg` pool. */
export type ReadingDatabase = Pick<Pool, 'query'>;

/** A `bigint` as `pg` gives it, with or without a parser of its own. */
export type BigintColumn = string | number | bigint;
