import type { PoolClient } from 'pg';
import type { Database } from '../../postgres/database.ts';

const locks = { onlineUsers: 7_203_418_826, presenceChannels: 7_203_418_827 } as const;
type LockName = keyof typeof locks;

/** Acquires a lock until the end of the client's transaction: gateways that write the same tables take turns. */
export async function lock(client: PoolClient, name: LockName): Promise<void> {
  await client.query('select pg_advisory_xact_lock($1)', [locks[name]]);
}

/** Runs work in a transaction that holds the lock. @throws what the database or the work throws. */
export async function inLockedTransaction<Result>(
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
    // A failed client is closed, not reused: closing it ends its transaction.
    client.release(failure);
  }
}
