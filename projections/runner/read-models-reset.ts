import type { Client } from 'pg';
import { readModelCategories } from '../../contracts/events/index.ts';
import type { Misfit } from '../../services/followers/log-match.ts';
import type { EventLog } from '../../services/log/log.ts';

/** `Names` marks accounts again by the log, or frees the names of those whose registration is lost. */
const unmarkAccounts = 'update accounts.accounts set registered = false where registered';

/**
 * Empties what does not fit the log any more, in the transaction under way.
 * - The log began another epoch: what was pushed in the one before is void.
 * - The log went back: all read models, to be made again from the log. Accounts stay, but whether a registration
 *   is still in the log is looked up again when a name is asked for.
 *
 * What lies before `quiet_until` then pushes nothing: it was pushed before.
 */
export async function resetReadModels(client: Client, log: EventLog, misfit: Misfit): Promise<void> {
  const again = misfit === 'went back';
  const end = again ? await log.end(readModelCategories) : null;
  await client.query(
    `update followers.checkpoint set quiet_until = coalesce($1, position) where name = 'read'`,
    [end],
  );
  await client.query('truncate pushes.push');
  if (!again) return;
  await emptyReadModels(client, 'read');
  await client.query(unmarkAccounts);
}

/** Empties the tables of one set of read models, in the transaction under way. */
export async function emptyReadModels(client: Client, schema: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    'select tablename as name from pg_tables where schemaname = $1',
    [schema],
  );
  const names = rows.map(({ name }) => `${schema}.${client.escapeIdentifier(name)}`);
  if (names.length > 0) await client.query(`truncate ${names.join(', ')}`);
}
