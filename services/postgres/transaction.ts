import type { ClientBase } from 'pg';

/**
 * Runs statements in one transaction: commits it, or rolls it back if `run` throws.
 * @param begin the statement that begins it, for another isolation than the default
 * @throws what `run` and `pg` throw
 */
export async function inTransaction<Result>(
  client: Pick<ClientBase, 'query'>,
  run: () => Promise<Result>,
  begin = 'begin',
): Promise<Result> {
  await client.query(begin);
  try {
    const result = await run();
    await client.query('commit');
    return result;
  } catch (error) {
    // A connection that has failed has no transaction any more.
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}
