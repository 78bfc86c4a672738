import type { EventNamed } from '../../contracts/events/index.ts';
import { usernameKey } from '../../services/accounts/account-rows.ts';
import type { AccountsDatabase } from '../../services/accounts/accounts-tables.ts';
import { hashPassword } from '../../services/accounts/hashing.ts';
import { createIds, type GreatestIds } from '../../services/accounts/ids.ts';

/** The password of everybody in a seeded installation. */
export const seedPassword = 'bubble-seed';

/** How many rows one statement inserts. */
const maxRows = 1_000;

/** Whether nobody has an account. */
export async function hasNoAccounts(database: AccountsDatabase): Promise<boolean> {
  return !(await database.selectFrom('accounts.accounts').select('uid').limit(1).executeTakeFirst());
}

/** Gives those who registered an account, all with one password, and raises the ids above those in use. */
export async function fillAccounts(
  database: AccountsDatabase,
  people: readonly EventNamed<'UserRegistered'>['data'][],
  inUse: GreatestIds,
): Promise<void> {
  const password_hash = await hashPassword(seedPassword, { of: 'seed', maxWaiting: 1 });
  for (let from = 0; from < people.length; from += maxRows) {
    const rows = people.slice(from, from + maxRows).map(({ uid, username, phone, numberId }) => ({
      ...{ uid, username, username_key: usernameKey(username), phone, number_id: numberId },
      ...{ password_hash, registered: true },
    }));
    await database.insertInto('accounts.accounts').values(rows).execute();
  }
  await createIds(database, async () => inUse).raiseAbove(inUse);
}
