import type { Pool } from 'pg';

/** The part of a `pg` pool for single statements and transactions. */
export type Database = Pick<Pool, 'query' | 'connect'>;

/** The part of a `pg` pool for reading. */
export type ReadingDatabase = Pick<Pool, 'query'>;

/** A `bigint` as `pg` returns it: the type depends on the pool's parsers. */
export type BigintColumn = string | number | bigint;
