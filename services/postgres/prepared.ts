import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type pg from 'pg';
import { isStalePlan } from './stale-plan.ts';

/** So many texts are prepared at most; whatever made more of them would fill the server's memory. */
const mostTexts = 500;

/** What runs a query: a pool, or one connection. */
type Runner = Pick<pg.Pool, 'query'> & Partial<Pick<pg.PoolClient, 'getTransactionStatus'>>;

/** The names that texts are prepared under, the same on all connections. */
const names = new Map<string, string>();
let renewals = 0;

function nameOf(text: string): string | undefined {
  let name = names.get(text);
  if (name === undefined && names.size < mostTexts) {
    name = `prepared ${names.size + 1}`;
    names.set(text, name);
  }
  return name;
}

/** Has a text prepared anew, unless that has been done since. */
function renew(text: string, stale: string | undefined): void {
  if (stale !== undefined && names.get(text) === stale) {
    names.set(text, `${stale.split('/')[0]}/${++renewals}`);
  }
}

/**
 * Runs a query whose text each connection parses and plans once. Planning costs as much as most of our
 * queries do; their texts are few, since lists go as arrays. A plan that a migration made stale is made
 * anew, unless the query is part of a transaction, which has ended by it.
 * @throws what `pg` throws
 */
export async function queryPrepared<Row extends pg.QueryResultRow>(
  runner: Runner,
  text: string,
  values: readonly unknown[],
): Promise<pg.QueryResult<Row>> {
  const name = nameOf(text);
  try {
    return await runner.query<Row>({ name, text, values: [...values] });
  } catch (error) {
    if (!isStalePlan(error)) throw error;
    renew(text, name);
    const status = runner.getTransactionStatus?.();
    if (status === 'T' || status === 'E') throw error;
    return runner.query<Row>({ name: nameOf(text), text, values: [...values] });
  }
}

/** A pool for Kysely whose queries are prepared. */
export function preparing(pool: pg.Pool): PostgresPool {
  const clients = new WeakMap<pg.PoolClient, PostgresPoolClient>();
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect();
      const known = clients.get(client) ?? new PreparingClient(client);
      clients.set(client, known);
      return known;
    },
  };
}

class PreparingClient implements PostgresPoolClient {
  readonly #client: pg.PoolClient;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  query<Row>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<Row>>;
  query<Row>(cursor: PostgresCursor<Row>): PostgresCursor<Row>;
  query(statement: string | PostgresCursor<unknown>, values: readonly unknown[] = []): unknown {
    if (typeof statement !== 'string') throw new TypeError('rows are read whole');
    return queryPrepared(this.#client, statement, values);
  }

  release(destroy?: boolean): void {
    this.#client.release(destroy);
  }
}
