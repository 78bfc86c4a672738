import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type pg from 'pg';
import { isStalePlan } from './stale-plan.ts';

/** Further texts are not prepared: prepared statements stay in the server's memory. */
const maxTexts = 500;

/** A pool or one connection. */
type Runner = Pick<pg.Pool, 'query'> & Partial<Pick<pg.PoolClient, 'getTransactionStatus'>>;

/** The name of the prepared statement of each text, the same on all connections. */
const names = new Map<string, string>();
let renewals = 0;

function nameOf(text: string): string | undefined {
  let name = names.get(text);
  if (name === undefined && names.size < maxTexts) {
    name = `prepared ${names.size + 1}`;
    names.set(text, name);
  }
  return name;
}

/** Gives a text a new name, so that it is prepared again, unless that was done since it was stale. */
function renew(text: string, stale: string | undefined): void {
  if (stale !== undefined && names.get(text) === stale) {
    names.set(text, `${stale.split('/')[0]}/${++renewals}`);
  }
}

/**
 * Runs a query whose text each connection parses and plans once. Planning costs as much as most of our
 * queries; there are few texts, since lists are sent as arrays. If a migration made the plan stale, the query
 * is prepared and run again, unless it is part of a transaction, which the error has ended.
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

/** A pool for Kysely that prepares its queries. */
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
    if (typeof statement !== 'string') throw new TypeError('cursors are not supported');
    return queryPrepared(this.#client, statement, values);
  }

  release(destroy?: boolean): void {
    this.#client.release(destroy);
  }
}
