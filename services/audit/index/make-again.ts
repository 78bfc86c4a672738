import type { Client } from 'pg';
import { inTransaction } from '../../postgres/transaction.ts';
import { auditorName, emptyIndex } from './audit-task.ts';
import type { IndexConsumer } from './consumer.ts';
import { mendFunctions } from './index-functions.ts';

/**
 * Empties the index of the log and what is made together with it, so that the auditor that works, or the next one,
 * makes them again from the beginning of the log. The functions by which it is searched are made again at once, if they are
 * not what the migrations made.
 * @returns how many events the index had
 * @throws what the database throws; nothing is changed then
 */
export function makeIndexAgain(client: Client, consumers: readonly IndexConsumer[]): Promise<number> {
  return inTransaction(client, async () => {
    // The auditor that works loses its lease: it begins again from here, also if nothing new is in the log.
    await client.query(`update followers.lease set holder = '' where name = $1`, [auditorName]);
    await client.query(`update followers.checkpoint set position = '', event_id = null where name = $1`, [
      auditorName,
    ]);
    const { rows } = await client.query<{ count: string }>(
      'select coalesce(max(number) + 1, 0) as count from audit.events',
    );
    await emptyIndex(client, consumers);
    await mendFunctions(client);
    return Number(rows[0]?.count ?? 0);
  });
}
