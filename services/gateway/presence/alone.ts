import type { PoolClient } from 'pg';
import type { Database } from '../../postgres/database.ts';

/** Holds a lock for a transaction: gateways that write the same at once wait for each other. */
export async function lock(client: PoolClient, name: LockName): Promise<void> {
  await client.query('select pg_advisory_xact_lock($1)', [locks[name]]);
}

const locks = { people: 7_203_418_826, members: 7_203_418_827 } as const;
type LockName = keyof typeof locks;

/** Does work in a transaction that holds the lock. @throws what the database throws. */
export async function alone<Result>(
  database: Database,
  name: LockName,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await database.connect();
  let failure: Error | undefined;
  try {
    await client.query('begin');
    await lock(client, name);
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    // A client that failed in the midst is not used again: its transaction ends with its connection.
    client.release(failure);
  }
}
