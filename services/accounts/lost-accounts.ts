import { NumberId, Uid } from '../../contracts/ids.ts';
import { noPassword } from './hashing.ts';
import { type Account, usernameKey } from './names.ts';
import type { AccountsDatabase } from './tables.ts';

/** A registered person, as events and read models know them. */
export interface Registered {
  readonly uid: Uid;
  readonly username: string;
  readonly phone: string | null;
  readonly numberId: NumberId;
}

/**
 * Accounts of registered people that the tables have lost, as after a failover to an older copy or with an older
 * dump. They are put back so that nobody else gets the names. Passwords are lost: a person comes back by their
 * phone, or the server's key sets another.
 */
export interface LostAccounts {
  /** Whether somebody has, or is about to have, this uid. */
  has(uid: number): Promise<boolean>;
  /** Puts those back that are missing. @returns who was put back, and who could not be since the username is another's */
  restore(people: readonly Registered[]): Promise<{ restored: Uid[]; taken: Uid[] }>;
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

  /** Removes reservations of the names by people who are not registered: they reserve anew, and are refused. */
  async function clearWay({ username, phone, numberId }: Registered): Promise<void> {
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
    async restore(people) {
      const restored: Uid[] = [];
      const taken: Uid[] = [];
      for (const person of await missing(people)) {
        await clearWay(person);
        // Without a phone that is another's by now.
        const done = (await insert(person, person.phone)) || (await insert(person, null));
        (done ? restored : taken).push(person.uid);
      }
      return { restored, taken };
    },
  };
}
