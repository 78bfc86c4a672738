import { sql } from 'kysely';
import type { Registered } from '../accounts/lost-accounts.ts';
import type { ReadDatabase } from './tables.ts';

/** Up to `limit` people who registered, were not deleted, and have no account, in the order of their uids after `after`. */
export async function findWithoutAccount(
  database: ReadDatabase,
  after: number,
  limit: number,
): Promise<Registered[]> {
  const { rows } = await sql<Registered>`
    select u.uid, u.username, u.phone, u.number_id as "numberId"
      from read.users u left join accounts.accounts a using (uid)
     where a.uid is null and u.account_state <> 'deleted' and u.uid > ${after} order by u.uid limit ${limit}`.execute(
    database,
  );
  return rows;
}
