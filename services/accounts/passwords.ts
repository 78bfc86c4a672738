import { sql } from 'kysely';
import { Refusal } from '../../contracts/codes.ts';
import type { Uid } from '../../contracts/ids.ts';
import { networkOf } from '../edge/client-network.ts';
import { FairQueue, type Share } from '../fair-queue.ts';
import type { AccountsDatabase } from './accounts-tables.ts';
import { hashPassword, verifyPassword } from './hashing.ts';
import { createKnownAddresses } from './known-addresses.ts';
import { type Account, usernameKey } from './names.ts';
import type { Tokens } from './tokens.ts';

export interface PasswordCheck {
  /** What the caller gave as username or phone; counted where nobody is meant by it. */
  readonly name: string;
  /** Whom it may mean, as `Names.byLoginName` answers; empty: nobody, which takes as long. */
  readonly accounts: readonly Account[];
  readonly password: string;
  /** The setting limit_password: wrong ones a minute for one username from one address, over all processes. */
  readonly limit: number;
  /** From where it is tried. */
  readonly address: string;
  /** For whom it is hashed. */
  readonly share: Share;
}

/** What the person who changes a password has just shown. */
export interface Shown {
  /** Where they showed that the account is theirs; it is known from then on. */
  readonly address?: string;
  /** The hash of the password that they showed: who knew one that was replaced meanwhile may not replace it. */
  readonly instead?: string;
}

export interface Passwords {
  /** Hashes a new account's password, for `Names.reserve`. @throws Refusal tooMany, notReady under flood. */
  hash(password: string, share: Share): Promise<string>;
  /**
   * The account whose password this is. Wrong ones are counted by name and address; addresses from which the
   * account's owner never logged in have ten times the limit together.
   * @throws Refusal `illegal` after too many wrong ones, right or not; tooMany, notReady under flood.
   */
  check(check: PasswordCheck): Promise<Account | undefined>;
  /**
   * Sets the password, ends all of the user's tokens and forgets from where they logged in, all or nothing: who
   * had the old password was known too.
   * @throws Refusal `illegal` if the password is not `shown.instead` any more; tooMany, notReady under flood
   */
  change(uid: Uid, password: string, share: Share, shown?: Shown): Promise<void>;
}

/** A try that was counted before it was known to be wrong; `at` is its instant, as Postgres writes it. */
interface Try {
  readonly key: string;
  readonly at: string;
}

/** What tries are counted under, and how many may be wrong in a minute. */
interface Counter {
  readonly key: string;
  readonly most: number;
}

/**
 * Addresses from which an account's owner never logged in have so many times the limit of one, together: enough for
 * a few that mistype, and with 144,000 tries a day too few to find a password.
 */
const strangersTogether = 10;

/** Tries of one name from one address that may wait for each other, and for how long. */
const maxWaiting = 30;
const timeoutMs = 3000;

/** Nobody's name is longer; what is given may be longer than an index takes. */
const longestKey = 64;

export function createPasswords(options: {
  readonly database: AccountsDatabase;
  readonly tokens: Tokens;
}): Passwords {
  const { database, tokens } = options;
  const addresses = createKnownAddresses(database);

  /**
   * Counts a try as wrong beforehand: were it counted afterwards, many at once would pass the limit.
   * In Postgres, so that the limit is one over all processes.
   */
  async function countTry({ key, most }: Counter): Promise<Try> {
    const { rows } = await sql<{ at: string }>`
      insert into accounts.failed_passwords as failed (username_key, tries)
      values (${key}, array[clock_timestamp()])
      on conflict (username_key) do update
      set tries = array(
        select at from unnest(failed.tries) at where at > clock_timestamp() - interval '1 minute' order by at
      ) || excluded.tries
      where (
        select count(*) from unnest(failed.tries) at where at > clock_timestamp() - interval '1 minute'
      ) < ${most}
      returning tries[cardinality(tries)]::text as at`.execute(database);
    const [row] = rows;
    if (!row) throw new Refusal('illegal', '密码错误次数过多,请一分钟后再试');
    return { key, at: row.at };
  }

  /** By name and address: each try is counted as wrong until it is known to be right, so tries of one name take turns. */
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
        { key: `${key} ${networkOf(address)}`, most: limit },
        ...(known ? [] : [{ key: `${key} *`, most: limit * strangersTogether }]),
      ];
      /** Counts, then looks: a try that comes to no end counts for nothing. */
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
          // Another was meant by the name, so theirs was no wrong password.
          await forgetTries(tries);
          await addresses.remember(uid, address);
          return account;
        }
      }
      if (accounts.length === 0) {
        await isRight(counters(usernameKey(name).slice(0, longestKey), false), undefined);
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
