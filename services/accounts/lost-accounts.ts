import { NumberId, Uid } from '../../contracts/ids.ts';
import { type Account, usernameKey } from './account-rows.ts';
import type { AccountsDatabase } from './accounts-tables.ts';
import { freeNames } from './deleted-accounts.ts';
import { noPassword } from './hashing.ts';

/** A registered person, as events and read models know them. */
export interface Registered {
  readonly uid: Uid;
  readonly username: string;
  readonly phone: string | null;
  readonly numberId: NumberId;
}

/**
 * Accounts of registered people that the tables have lost, as after a failover to an older copy or a restored dump.
 * They are restored so that nobody else gets the names. Passwords are lost: a person sets a new one by their phone,
 * or the server's key does.
 */
export interface LostAccounts {
  /** Whether an account or a reservation has this uid. */
  has(uid: number): Promise<boolean>;
  /** Restores the missing accounts. @returns the restored ones, and those whose username is another's by now */
  restore(people: readonly Registered[]): Promise<{ restored: Uid[]; taken: Uid[] }>;
  /** Frees the names of deleted people, which an older copy of the tables has. */
  free(uids: readonly Uid[]): Promise<void>;
}

/** @param isRegistered as `createNames` takes it */
export function createLostAccounts(options: {
  readonly database: AccountsDatabase;
  readonly isRegistered: (account: Pick<Account, 'uid' | 'username' | 'numberId'>) => Promise<boolean>;
}): LostAccounts {
  const { database, isRegistered } = options;

  async function missing(people: readonly Registered[]): Promise<Registered[]> {
    if (people.length === 0) return [];
    const uids = people.map(({ uid }) => uid);
    const rows = await database
      .selectFrom('accounts.accounts')
      .select('uid')
      .where('uid', 'in', uids)
      .execute();
    const there = new Set(rows.map(({ uid }) => Number(uid)));
    return people.filter(({ uid }) => !there.has(uid));
  }

  /** Removes reservations of the names by people who are not registered: these will reserve again, and be refused. */
  async function removeReservations({ username, phone, numberId }: Registered): Promise<void> {
    const holders = await database
      .selectFrom('accounts.accounts')
      .select(['uid', 'username', 'number_id'])
      .where('registered', '=', false)
      .where((row) =>
        row.or([
          row('username_key', '=', usernameKey(username)),
          row('phone', '=', phone),
          row('number_id', '=', numberId),
        ]),
      )
      .execute();
    for (const holder of holders) {
      const uid = Uid.parse(Number(holder.uid));
      const held = { uid, username: holder.username, numberId: NumberId.parse(Number(holder.number_id)) };
      if (await isRegistered(held)) continue;
      await database
        .deleteFrom('accounts.accounts')
        .where('uid', '=', uid)
        .where('registered', '=', false)
        .execute();
    }
  }

  async function insert({ uid, username, numberId }: Registered, phone: string | null): Promise<boolean> {
    const row = await database
      .insertInto('accounts.accounts')
      .values({
        ...{ uid, username, phone, username_key: usernameKey(username), number_id: numberId },
        ...{ password_hash: noPassword, registered: true },
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('uid')
      .executeTakeFirst();
    return row !== undefined;
  }

  return {
    async has(uid) {
      const query = database.selectFrom('accounts.accounts').select('uid').where('uid', '=', uid);
      return (await query.executeTakeFirst()) !== undefined;
    },
    free: (uids) => freeNames(database, uids),
    async restore(people) {
      const restored: Uid[] = [];
      const taken: Uid[] = [];
      for (const person of await missing(people)) {
        await removeReservations(person);
        // If the phone is another's by now, without it.
        const done = (await insert(person, person.phone)) || (await insert(person, null));
        (done ? restored : taken).push(person.uid);
      }
      return { restored, taken };
    },
  };
}
