import { sql } from 'kysely';
import type { Registered } from '../accounts/lost-accounts.ts';
import type { ReadDatabase } from './tables.ts';

/** People who registered and have no account, in the order of their uids after `after`, `most` at most. */
export async function findWithoutAccount(
  database: ReadDatabase,
  after: number,
  most: number,
): Promise<Registered[]> {
  const { rows } = await sql<Registered>`
    select u.uid, u.username, u.phone, u.number_id as "numberId"
      from read.users u left join accounts.accounts a using (uid)
     where a.uid is null and u.uid > ${after} order by u.uid limit ${most}`.execute(database);
  return rows;
}
