import { Refusal } from '../../contracts/codes.ts';
import type { Uid } from '../../contracts/ids.ts';
import { errorCode } from '../error-code.ts';
import { type Account, AccountRows, type IsRegistered, usernameKey } from './account-rows.ts';
import type { AccountsDatabase } from './accounts-tables.ts';
import {
  createNameReservations,
  type NameReservations,
  phoneTaken,
  removeExpired,
} from './name-reservations.ts';

/** Who owns which username, phone and number id. */
export interface Names extends NameReservations {
  /**
   * Replaces a registered person's phone.
   * @param instead the phone that they must have now (null: none); by default any
   * @throws Refusal `illegal` if the phone is another's or theirs is no longer `instead`, `noUser` if nobody has
   *   that uid
   */
  bindPhone(uid: Uid, phone: string, instead?: string | null): Promise<void>;
  byUid(uid: Uid): Promise<Account | undefined>;
  /** Ignores case. */
  byUsername(username: string): Promise<Account | undefined>;
  byPhone(phone: string): Promise<Account | undefined>;
  /**
   * The accounts that a login name may mean: the owner of the phone, then the owner of the username. There are two if
   * one person's username is another's phone; the password decides.
   */
  byLoginName(name: string): Promise<readonly Account[]>;
}

/** What Postgres answers if someone else was given the phone meanwhile. */
const uniqueViolation = '23505';

/** @param isRegistered reads the log; see `AccountRows` */
export function createNames(options: {
  readonly database: AccountsDatabase;
  readonly isRegistered: IsRegistered;
}): Names {
  const { database, isRegistered } = options;
  const rows = new AccountRows(database, isRegistered);
  return {
    ...createNameReservations(database, rows),
    async bindPhone(uid, phone, instead) {
      const holders = await rows.find((row) => row.and([row('phone', '=', phone), row('uid', '!=', uid)]));
      await removeExpired(database, rows, holders);
      const bound = await database
        .updateTable('accounts.accounts')
        .set({ phone })
        .where('uid', '=', uid)
        .$if(instead !== undefined, (update) =>
          update.where('phone', 'is not distinct from', instead ?? null),
        )
        .executeTakeFirst()
        .catch((error: unknown) => {
          throw errorCode(error) === uniqueViolation ? new Refusal('illegal', phoneTaken) : error;
        });
      if (bound.numUpdatedRows > 0n) return;
      if (instead === undefined) throw new Refusal('noUser');
      throw new Refusal('illegal', '手机号刚刚已变更,请稍后再试');
    },
    async byUid(uid) {
      const [account] = await rows.accounts((row) => row('uid', '=', uid));
      return account;
    },
    async byUsername(username) {
      const [account] = await rows.accounts((row) => row('username_key', '=', usernameKey(username)));
      return account;
    },
    async byPhone(phone) {
      const [account] = await rows.accounts((row) => row('phone', '=', phone));
      return account;
    },
    async byLoginName(name) {
      const found = await rows.accounts((row) =>
        row.or([row('phone', '=', name), row('username_key', '=', usernameKey(name))]),
      );
      return found.sort((one, other) => Number(other.phone === name) - Number(one.phone === name));
    },
  };
}
