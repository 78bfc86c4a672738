import type { Client } from 'pg';
import { type DatabaseConfig, openClient, type Purpose } from './connect.ts';

const purpose: Purpose = { name: 'bubble-im cancel', statementTimeoutMs: 5_000 };

/**
 * Runs `work` on a connection. Once the signal aborts, the statement that is under way is cancelled, and fails. When this
 * returns, no cancellation is under way any more, so that the connection can be used on.
 * @throws the signal's reason if it aborted and `work` failed, else what `work` throws
 */
export async function cancelledBy<Result>(
  {
    client,
    database,
    signal,
  }: { readonly client: Client; readonly database: DatabaseConfig; readonly signal: AbortSignal },
  work: () => Promise<Result>,
): Promise<Result> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  let cancelling: Promise<void> | undefined;
  const cancel = () => {
    cancelling = cancelStatement(database, rows[0]?.pid).catch(() => undefined);
  };
  signal.throwIfAborted();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
    await cancelling;
  }
}

/** Ends the statement under way on another connection, which then fails. */
async function cancelStatement(database: DatabaseConfig, pid: number | undefined): Promise<void> {
  const client = await openClient(database, purpose);
  try {
    await client.query('select pg_cancel_backend($1)', [pid]);
  } finally {
    await client.end();
  }
}
