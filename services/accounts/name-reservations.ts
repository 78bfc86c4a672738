import { randomInt } from 'node:crypto';
import { sql } from 'kysely';
import { Refusal } from '../../contracts/codes.ts';
import { phone } from '../../contracts/http/parameters.ts';
import { NumberId, Uid } from '../../contracts/ids.ts';
import { type AccountRow, type AccountRows, usernameKey } from './account-rows.ts';
import type { AccountsDatabase } from './accounts-tables.ts';

/** The names that a new account is to own. */
export interface NameClaim {
  readonly username: string;
  readonly phone: string | null;
  readonly passwordHash: string;
}

/**
 * Reservations of names for new accounts. To register: `reserve`, append UserRegistered to `user-{uid}` (expected:
 * no stream), then `confirm`; or `release` if certainly nothing was appended. A reservation lasts a minute. Release
 * it if the append has not begun within 30 s.
 */
export interface NameReservations {
  /**
   * Reserves the names for a new uid.
   * @throws Refusal `illegal` that says which name is taken
   */
  reserve(claim: NameClaim): Promise<{ uid: Uid; numberId: NumberId }>;
  /**
   * Renews a reservation for another minute. Call it right before UserRegistered is appended, which takes less.
   * @returns false if the reservation was lost
   */
  renew(uid: Uid): Promise<boolean>;
  /** Gives a reservation another uid, if its own belongs to someone else. @throws Refusal notReady if it was lost */
  replaceUid(uid: Uid): Promise<Uid>;
  /**
   * Makes the names the account's own once UserRegistered is in the log.
   * @throws Error if the reservation was lost meanwhile
   */
  confirm(uid: Uid): Promise<void>;
  /** Frees the names of a reservation; a confirmed one stays. */
  release(uid: Uid): Promise<void>;
}

export const phoneTaken = '手机号已被注册';

/** Uids and number ids to try before giving up: a random number id is taken once in 1,000 times at a million users. */
const maxAttempts = 20;

/** Reserves names in `accounts.accounts`, so that all processes agree. */
export function createNameReservations(database: AccountsDatabase, rows: AccountRows): NameReservations {
  async function insert(claim: NameClaim, numberId: NumberId): Promise<Uid | undefined> {
    const row = await database
      .insertInto('accounts.accounts')
      .values({
        uid: sql<number>`nextval('accounts.uid')`,
        username: claim.username,
        username_key: usernameKey(claim.username),
        phone: claim.phone,
        number_id: numberId,
        password_hash: claim.passwordHash,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('uid')
      .executeTakeFirst();
    return row && Uid.parse(Number(row.uid));
  }

  /** @throws Refusal illegal if a name is taken */
  async function mustBeFree(claim: NameClaim): Promise<void> {
    // It could be someone else's phone, which is also a name to log in with.
    if (phone.safeParse(claim.username).success && claim.username !== claim.phone) {
      throw new Refusal('illegal', '用户名不能是手机号,除非是本人的手机号');
    }
    const key = usernameKey(claim.username);
    const holders = await rows.find((row) =>
      row.or([row('username_key', '=', key), row('phone', '=', claim.phone)]),
    );
    await removeExpired(database, rows, holders, key);
  }

  return {
    async reserve(claim) {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        // Checked before inserting too: a request for a taken name must not use up a uid.
        await mustBeFree(claim);
        const numberId = NumberId.parse(randomInt(1_000_000, 1_000_000_000));
        const uid = await insert(claim, numberId);
        if (uid !== undefined) return { uid, numberId };
      }
      throw new Refusal('notReady');
    },
    async renew(uid) {
      const { numUpdatedRows } = await database
        .updateTable('accounts.accounts')
        .set({ created: sql<Date>`now()` })
        .where('uid', '=', uid)
        .where('registered', '=', false)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async replaceUid(uid) {
      const row = await database
        .updateTable('accounts.accounts')
        .set({ uid: sql<number>`nextval('accounts.uid')` })
        .where('uid', '=', uid)
        .where('registered', '=', false)
        .returning('uid')
        .executeTakeFirst();
      if (!row) throw new Refusal('notReady');
      return Uid.parse(Number(row.uid));
    },
    async confirm(uid) {
      if (!(await rows.markRegistered(uid)))
        throw new Error(`the reservation of uid ${uid} was lost before it was confirmed`);
    },
    async release(uid) {
      await database
        .deleteFrom('accounts.accounts')
        .where('uid', '=', uid)
        .where('registered', '=', false)
        .execute();
    },
  };
}

/**
 * Removes reservations that were abandoned.
 * @param key the username's, if the holders may hold that too
 * @throws Refusal illegal if a holder is an account, or a reservation of the last minute
 */
export async function removeExpired(
  database: AccountsDatabase,
  rows: AccountRows,
  holders: readonly AccountRow[],
  key?: string,
): Promise<void> {
  for (const holder of holders) {
    if ((await rows.isAccount(holder)) || !holder.old) {
      throw new Refusal('illegal', holder.username_key === key ? '用户名已被占用' : phoneTaken);
    }
    await database
      .deleteFrom('accounts.accounts')
      .where('uid', '=', Uid.parse(Number(holder.uid)))
      .where('registered', '=', false)
      // It may have been renewed since it was read.
      .where(sql<boolean>`created < now() - interval '1 minute'`)
      .execute();
  }
}
