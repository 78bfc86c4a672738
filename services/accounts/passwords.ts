import { sql } from 'kysely';
import { Refusal } from '../../contracts/codes.ts';
import type { Uid } from '../../contracts/ids.ts';
import { networkOf } from '../edge/client-network.ts';
import { FairQueue, type Share } from '../fair-queue.ts';
import { type Account, usernameKey } from './account-rows.ts';
import type { AccountsDatabase } from './accounts-tables.ts';
import { hashPassword, verifyPassword } from './hashing.ts';
import { createKnownAddresses } from './known-addresses.ts';
import type { Tokens } from './tokens.ts';

export interface PasswordCheck {
  /** The username or phone that the caller gave; tries are counted under it if `accounts` is empty. */
  readonly name: string;
  /** The accounts that the name may mean, by `Names.byLoginName`; checking none takes as long as checking one. */
  readonly accounts: readonly Account[];
  readonly password: string;
  /** The setting limit_password: wrong tries a minute of one username from one address, over all processes. */
  readonly limit: number;
  /** The client's address. */
  readonly address: string;
  /** Whose share of the hashing the check uses. */
  readonly share: Share;
}

/** What the caller who changes a password has proved. */
export interface Proof {
  /** The address from which they proved that the account is theirs; it is a known address from then on. */
  readonly address?: string;
  /** The hash of the old password that they gave; if the password was changed meanwhile, theirs is refused. */
  readonly instead?: string;
}

export interface Passwords {
  /** Hashes a new account's password, for `Names.reserve`. @throws Refusal tooMany, notReady under flood */
  hash(password: string, share: Share): Promise<string>;
  /**
   * The account whose password this is. Wrong tries are counted by name and address; addresses from which the
   * account's owner never logged in have ten times the limit together.
   * @throws Refusal `illegal` after too many wrong tries, also for the right password; tooMany, notReady under flood
   */
  check(check: PasswordCheck): Promise<Account | undefined>;
  /**
   * Sets the password, ends all of the user's tokens and forgets their known addresses, all in one transaction:
   * someone else who had the old password also has a known address.
   * @throws Refusal `illegal` if the password is no longer `proof.instead`; tooMany, notReady under flood
   */
  change(uid: Uid, password: string, share: Share, proof?: Proof): Promise<void>;
}

/** A try that was counted before its password was checked; `at` is its time as Postgres writes it. */
interface Try {
  readonly key: string;
  readonly at: string;
}

/** A key that tries are counted under, and how many may be wrong in a minute. */
interface Counter {
  readonly key: string;
  readonly maxWrong: number;
}

/**
 * All addresses from which an account's owner never logged in have together this many times the limit of one. That is
 * enough for a few people who mistype; 144,000 tries a day are too few to find a password.
 */
const unknownAddressesFactor = 10;

/** Tries of one name from one address wait for each other: up to 30 of them, up to 3 s each. */
const maxWaiting = 30;
const timeoutMs = 3000;

/** In characters. No username is longer, and what a caller gives may be too long for an index. */
const maxKeyLength = 64;

export function createPasswords(options: {
  readonly database: AccountsDatabase;
  readonly tokens: Tokens;
}): Passwords {
  const { database, tokens } = options;
  const addresses = createKnownAddresses(database);

  /**
   * Counts a try as wrong before its password is checked: counted afterwards, many at once would exceed the limit.
   * All processes count in Postgres.
   */
  async function countTry({ key, maxWrong }: Counter): Promise<Try> {
    const { rows } = await sql<{ at: string }>`
      insert into accounts.failed_passwords as failed (username_key, tries)
      values (${key}, array[clock_timestamp()])
      on conflict (username_key) do update
      set tries = array(
        select at from unnest(failed.tries) at where at > clock_timestamp() - interval '1 minute' order by at
      ) || excluded.tries
      where (
        select count(*) from unnest(failed.tries) at where at > clock_timestamp() - interval '1 minute'
      ) < ${maxWrong}
      returning tries[cardinality(tries)]::text as at`.execute(database);
    const [row] = rows;
    if (!row) throw new Refusal('illegal', '密码错误次数过多,请一分钟后再试');
    return { key, at: row.at };
  }

  /** By name and address. A try counts as wrong until it is checked, so concurrent tries of one name run one by one. */
  const queues = new Map<string, FairQueue>();

  async function oneByOne<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const queue = queues.get(key) ?? new FairQueue({ maxRunning: 1, maxWaiting, timeoutMs });
    queues.set(key, queue);
    try {
      return await queue.run({ of: key, maxWaiting }, work);
    } finally {
      if (queue.idle) queues.delete(key);
    }
  }

  async function forgetTries(tries: readonly Try[]): Promise<void> {
    await Promise.all(tries.map(forgetTry));
  }

  async function forgetTry({ key, at }: Try): Promise<void> {
    await sql`
      update accounts.failed_passwords set tries = array_remove(tries, ${at}::timestamptz)
      where username_key = ${key}`.execute(database);
  }

  return {
    hash: hashPassword,
    async check({ name, accounts, password, limit, address, share }) {
      const tries: Try[] = [];
      const counters = (key: string, known: boolean): Counter[] => [
        { key: `${key} ${networkOf(address)}`, maxWrong: limit },
        ...(known ? [] : [{ key: `${key} *`, maxWrong: limit * unknownAddressesFactor }]),
      ];
      /** Counts, then checks. A try that fails before its result is known does not count. */
      const isRight = (counted: readonly Counter[], passwordHash: string | undefined) =>
        oneByOne(counted[0]?.key ?? '', async () => {
          const counts: Try[] = [];
          try {
            for (const counter of counted) counts.push(await countTry(counter));
            const right = await verifyPassword(passwordHash, password, share);
            if (right) await forgetTries(counts);
            else tries.push(...counts);
            return right;
          } catch (error) {
            await forgetTries(counts);
            throw error;
          }
        });
      for (const account of accounts) {
        const { uid, username, passwordHash } = account;
        const counted = counters(usernameKey(username), await addresses.knows(uid, address));
        if (await isRight(counted, passwordHash)) {
          // The name meant this account, so the tries of the other accounts were not wrong passwords.
          await forgetTries(tries);
          await addresses.remember(uid, address);
          return account;
        }
      }
      if (accounts.length === 0) {
        await isRight(counters(usernameKey(name).slice(0, maxKeyLength), false), undefined);
      }
      return undefined;
    },
    async change(uid, password, share, { address, instead } = {}) {
      const passwordHash = await hashPassword(password, share);
      await tokens.endAll(uid, async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('accounts.accounts')
          .set({ password_hash: passwordHash })
          .where('uid', '=', uid)
          .$if(instead !== undefined, (update) => update.where('password_hash', '=', instead ?? ''))
          .executeTakeFirst();
        if (instead !== undefined && numUpdatedRows === 0n) throw new Refusal('illegal', '旧密码错误');
        const known = createKnownAddresses(transaction);
        await known.forget(uid);
        if (address !== undefined) await known.remember(uid, address);
      });
    },
  };
}
