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

/** A query of the present read models, on those in another schema: named by this program, so that it needs no quotes. */
export function inSchema(query: string, schema: string): string {
  return query.replaceAll(present, `${schema}.`);
}

/**
 * The queries of the API on read models in another schema, which may be made after this. Their texts are not prepared:
 * each schema has its own, and is asked a few times.
 */
export class PastDatabase {
  readonly queries: ReadDatabase;
  /** Where the read models are. Undefined: nothing can be asked yet. */
  schema: string | undefined;

  constructor(pool: pg.Pool) {
    const clients = new WeakMap<pg.PoolClient, PostgresPoolClient>();
    const past: PostgresPool = {
      options: pool.options,
      end: () => pool.end(),
      connect: async () => {
        const client = await pool.connect();
        const known = clients.get(client) ?? new PastClient(client, this);
        clients.set(client, known);
        return known;
      },
    };
    this.queries = new Kysely<ReadTables>({ dialect: new PostgresDialect({ pool: past }) });
  }
}

class PastClient implements PostgresPoolClient {
  readonly #client: pg.PoolClient;
  readonly #database: PastDatabase;

  constructor(client: pg.PoolClient, database: PastDatabase) {
    this.#client = client;
    this.#database = database;
  }

  query<Row>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<Row>>;
  query<Row>(cursor: PostgresCursor<Row>): PostgresCursor<Row>;
  query(statement: string | PostgresCursor<unknown>, values: readonly unknown[] = []): unknown {
    if (typeof statement !== 'string') throw new TypeError('rows are read whole');
    const { schema } = this.#database;
    if (schema === undefined) throw new TypeError('the read models are not made yet');
    return this.#client.query(inSchema(statement, schema), [...values]);
  }

  release(destroy?: boolean): void {
    this.#client.release(destroy);
  }
}
