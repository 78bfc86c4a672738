import {
  Kysely,
  type PostgresCursor,
  PostgresDialect,
  type PostgresPool,
  type PostgresPoolClient,
  type PostgresQueryResult,
} from 'kysely';
import type pg from 'pg';
import type { ReadDatabase, ReadTables } from '../../queries/tables.ts';

/** How queries name the schema of the present read models: as they were written, or as Kysely quotes it. */
const present = /\bread\.|"read"\./g;

/**
 * The queries of the API on read models in another schema. Their texts are not prepared: each schema has its own, and
 * is asked a few times.
 * @param schema made by this program, so that its name needs no quotes
 */
export function pastDatabase(pool: pg.Pool, schema: string): ReadDatabase {
  const clients = new WeakMap<pg.PoolClient, PostgresPoolClient>();
  const past: PostgresPool = {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect();
      const known = clients.get(client) ?? new PastClient(client, schema);
      clients.set(client, known);
      return known;
    },
  };
  return new Kysely<ReadTables>({ dialect: new PostgresDialect({ pool: past }) });
}

class PastClient implements PostgresPoolClient {
  readonly #client: pg.PoolClient;
  readonly #schema: string;

  constructor(client: pg.PoolClient, schema: string) {
    this.#client = client;
    this.#schema = schema;
  }

  query<Row>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<Row>>;
  query<Row>(cursor: PostgresCursor<Row>): PostgresCursor<Row>;
  query(statement: string | PostgresCursor<unknown>, values: readonly unknown[] = []): unknown {
    if (typeof statement !== 'string') throw new TypeError('rows are read whole');
    return this.#client.query(statement.replaceAll(present, `${this.#schema}.`), [...values]);
  }

  release(destroy?: boolean): void {
    this.#client.release(destroy);
  }
}
