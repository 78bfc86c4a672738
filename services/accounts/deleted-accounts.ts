import { type Kysely, sql } from 'kysely';
import type { Uid } from '../../contracts/ids.ts';
import type { AccountsTables } from './accounts-tables.ts';
import { noPassword } from './hashing.ts';

/**
 * Frees the username and the phone of deleted people, for anyone to register, and forgets where they logged in. The
 * row of each stays without names, since a uid and a number id are given once. Freed already: nothing changes.
 * @throws what the database throws
 */
export async function freeNames(database: Kysely<AccountsTables>, uids: readonly Uid[]): Promise<void> {
  if (uids.length === 0) return;
  await database
    .updateTable('accounts.accounts')
    .set({
      username: '',
      // No username has a hyphen.
      username_key: sql<string>`'-' || uid`,
      phone: null,
      password_hash: noPassword,
      registered: true,
      deleted: true,
    })
    .where('uid', 'in', uids)
    .where('deleted', '=', false)
    .execute();
  await database.deleteFrom('accounts.known_addresses').where('uid', 'in', uids).execute();
}
