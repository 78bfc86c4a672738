import { randomInt } from 'node:crypto';
import { sql } from 'kysely';
import { Refusal } from '../../contracts/codes.ts';
import { phone } from '../../contracts/http/parameters.ts';
import { NumberId, Uid } from '../../contracts/ids.ts';
import type { AccountsDatabase } from './accounts-tables.ts';

/** A registered person, as their names and password are kept. */
export interface Account {
  readonly uid: Uid;
  readonly username: string;
  readonly phone: string | null;
  readonly numberId: NumberId;
  readonly passwordHash: string;
}

/** The names that a new account is to own. */
export interface NameClaim {
  readonly username: string;
  readonly phone: string | null;
  readonly passwordHash: string;
}

/**
 * Who owns which username, phone and number id. Registering is: `reserve`, then append UserRegistered
 * to `user-{uid}` expecting none, then `confirm`; `release` where it is certain that nothing was
 * appended. A reservation holds for a minute: whoever has not begun to append within half of it releases.
 */
export interface Names {
  /**
   * Takes the names for a new uid.
   * @throws Refusal `illegal`, naming what is taken.
   */
  reserve(claim: NameClaim): Promise<{ uid: Uid; numberId: NumberId }>;
  /**
   * Holds a reservation for another minute; false where it was lost to somebody else. To be called right
   * before UserRegistered is appended, which takes less than that.
   */
  hold(uid: Uid): Promise<boolean>;
  /** Another uid for a reservation whose own turned out to be somebody else's. @throws Refusal notReady where it was lost */
  takeAnotherUid(uid: Uid): Promise<Uid>;
  /**
   * Marks the names as owned for good, once UserRegistered stands in the log.
   * @throws Error where the reservation was lost meanwhile.
   */
  confirm(uid: Uid): Promise<void>;
  /** Gives the names of a reservation back at once; a confirmed one stays. */
  release(uid: Uid): Promise<void>;
  /**
   * Gives a registered person a phone in place of the one that they have.
   * @param instead what that one must be (null: none); without it, any
   * @throws Refusal `illegal` if it is another's or theirs is not `instead` any more, `noUser` if nobody has
   *   that uid
   */
  bindPhone(uid: Uid, phone: string, instead?: string | null): Promise<void>;
  byUid(uid: Uid): Promise<Account | undefined>;
  /** Without regard to case. */
  byUsername(username: string): Promise<Account | undefined>;
  byPhone(phone: string): Promise<Account | undefined>;
  /**
   * Whom someone may mean who logs in under this name: the owner of the phone, then that of the
   * username. Both, where one person's username is another's phone; the password tells.
   */
  byLoginName(name: string): Promise<readonly Account[]>;
}

/** The form under which a username is unique. */
export function usernameKey(username: string): string {
  return username.normalize('NFKC').toLowerCase();
}

const phoneTaken = '手机号已被注册';
/** What Postgres answers when somebody else took the phone in the meantime. */
const uniqueViolation = '23505';

/**
 * @param isRegistered whether the log holds the registration of this uid under this username and number id;
 *   asked only of unmarked rows. That `user-{uid}` stands is not enough: the uid may have been given twice.
 */
export function createNames(options: {
  readonly database: AccountsDatabase;
  readonly isRegistered: (account: Pick<Account, 'uid' | 'username' | 'numberId'>) => Promise<boolean>;
}): Names {
  const { database, isRegistered } = options;
  const accounts = database
    .selectFrom('accounts.accounts')
    .select(['uid', 'username', 'username_key', 'phone', 'number_id', 'password_hash', 'registered'])
    .select(sql<boolean>`created < now() - interval '1 minute'`.as('abandoned'));
  type Row = Awaited<ReturnType<typeof accounts.execute>>[number];

  /** Whether the row's owner is registered; marks it where whoever registered them could not. */
  async function isOwned(row: Row): Promise<boolean> {
    if (row.registered) return true;
    const uid = Uid.parse(Number(row.uid));
    const numberId = NumberId.parse(Number(row.number_id));
    if (!(await isRegistered({ uid, username: row.username, numberId }))) return false;
    await mark(uid);
    return true;
  }

  async function mark(uid: Uid): Promise<boolean> {
    const { numUpdatedRows } = await database
      .updateTable('accounts.accounts')
      .set({ registered: true })
      .where('uid', '=', uid)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  async function owned(row: Row | undefined): Promise<Account | undefined> {
    if (!row || !(await isOwned(row))) return undefined;
    return {
      uid: Uid.parse(Number(row.uid)),
      username: row.username,
      phone: row.phone,
      numberId: NumberId.parse(Number(row.number_id)),
      passwordHash: row.password_hash,
    };
  }

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

  /** The claim's way is clear once every row in it is gone. */
  async function clearWay(claim: NameClaim): Promise<void> {
    // It could be somebody else's phone, under which they log in.
    if (phone.safeParse(claim.username).success && claim.username !== claim.phone) {
      throw new Refusal('illegal', '用户名不能是手机号,除非是本人的手机号');
    }
    const key = usernameKey(claim.username);
    const holders = await accounts
      .where((row) => row.or([row('username_key', '=', key), row('phone', '=', claim.phone)]))
      .execute();
    await removeAbandoned(holders, key);
  }

  /** Removes reservations that were given up. @throws Refusal illegal for one that was not */
  async function removeAbandoned(holders: readonly Row[], key?: string): Promise<void> {
    for (const holder of holders) {
      if ((await isOwned(holder)) || !holder.abandoned) {
        throw new Refusal('illegal', holder.username_key === key ? '用户名已被占用' : phoneTaken);
      }
      await database
        .deleteFrom('accounts.accounts')
        .where('uid', '=', holder.uid)
        .where('registered', '=', false)
        // Whoever holds it may have renewed it since it was read.
        .where(sql<boolean>`created < now() - interval '1 minute'`)
        .execute();
    }
  }

  return {
    async reserve(claim) {
      for (let attempt = 0; attempt < 20; attempt++) {
        // Before inserting too, so that asking for a taken name uses no uid up.
        await clearWay(claim);
        const numberId = NumberId.parse(randomInt(1_000_000, 1_000_000_000));
        const uid = await insert(claim, numberId);
        if (uid !== undefined) return { uid, numberId };
      }
      throw new Refusal('notReady');
    },
    async hold(uid) {
      const { numUpdatedRows } = await database
        .updateTable('accounts.accounts')
        .set({ created: sql<Date>`now()` })
        .where('uid', '=', uid)
        .where('registered', '=', false)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async takeAnotherUid(uid) {
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
      if (!(await mark(uid)))
        throw new Error(`the reservation of uid ${uid} was lost before it was confirmed`);
    },
    async release(uid) {
      await database
        .deleteFrom('accounts.accounts')
        .where('uid', '=', uid)
        .where('registered', '=', false)
        .execute();
    },
    async bindPhone(uid, phone, instead) {
      await removeAbandoned(await accounts.where('phone', '=', phone).where('uid', '!=', uid).execute());
      const bound = await database
        .updateTable('accounts.accounts')
        .set({ phone })
        .where('uid', '=', uid)
        .$if(instead !== undefined, (update) =>
          update.where('phone', 'is not distinct from', instead ?? null),
        )
        .executeTakeFirst()
        .catch((error: unknown) => {
          const code = error instanceof Error && 'code' in error ? error.code : undefined;
          throw code === uniqueViolation ? new Refusal('illegal', phoneTaken) : error;
        });
      if (bound.numUpdatedRows > 0n) return;
      if (instead === undefined) throw new Refusal('noUser');
      throw new Refusal('illegal', '手机号刚刚已变更,请稍后再试');
    },
    async byUid(uid) {
      return owned(await accounts.where('uid', '=', uid).executeTakeFirst());
    },
    async byUsername(username) {
      return owned(await accounts.where('username_key', '=', usernameKey(username)).executeTakeFirst());
    },
    async byPhone(phone) {
      return owned(await accounts.where('phone', '=', phone).executeTakeFirst());
    },
    async byLoginName(name) {
      const rows = await accounts
        .where((row) => row.or([row('phone', '=', name), row('username_key', '=', usernameKey(name))]))
        .execute();
      const found = (await Promise.all(rows.map(owned))).filter((account) => account !== undefined);
      return found.sort((one, other) => Number(other.phone === name) - Number(one.phone === name));
    },
  };
}
