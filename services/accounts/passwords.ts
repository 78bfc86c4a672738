import { sql } from 'kysely';
import { Refusal } from '../../contracts/codes.ts';
import type { Uid } from '../../contracts/ids.ts';
import { hashPassword, verifyPassword } from './hashing.ts';
import { type Account, usernameKey } from './names.ts';
import type { AccountsDatabase } from './tables.ts';
import type { TokenHash, Tokens } from './tokens.ts';

export interface PasswordCheck {
  /** What the caller gave as username or phone; counted where nobody is meant by it. */
  readonly name: string;
  /** Whom it may mean, as `Names.byLoginName` answers; empty: nobody, which takes as long. */
  readonly accounts: readonly Account[];
  readonly password: string;
  /** The setting limit_password: so many wrong ones a minute for one username, over all processes. */
  readonly limit: number;
}

export interface Passwords {
  /** Hashes a new account's password, for `Names.reserve`. @throws Refusal `notReady` under flood. */
  hash(password: string): Promise<string>;
  /**
   * The account whose password this is.
   * @throws Refusal `illegal` after too many wrong ones, right or not; `notReady` under flood.
   */
  check(check: PasswordCheck): Promise<Account | undefined>;
  /** Sets the password and ends all of the user's tokens (but `except`), both or neither. */
  change(uid: Uid, password: string, except?: TokenHash): Promise<void>;
}

/** A try that was counted before it was known to be wrong; `at` is its instant, as Postgres writes it. */
interface Try {
  readonly key: string;
  readonly at: string;
}

/** Nobody's name is longer; what is given may be longer than an index takes. */
const longestKey = 64;

export function createPasswords(options: {
  readonly database: AccountsDatabase;
  readonly tokens: Tokens;
}): Passwords {
  const { database, tokens } = options;

  /**
   * Counts a try as wrong beforehand: were it counted afterwards, many at once would pass the limit.
   * In Postgres, so that the limit is one over all processes.
   */
  async function countTry(key: string, limit: number): Promise<Try> {
    const { rows } = await sql<{ at: string }>`
      insert into accounts.failed_passwords as failed (username_key, tries)
      values (${key}, array[clock_timestamp()])
      on conflict (username_key) do update
      set tries = array(
        select at from unnest(failed.tries) at where at > clock_timestamp() - interval '1 minute' order by at
      ) || excluded.tries
      where (
        select count(*) from unnest(failed.tries) at where at > clock_timestamp() - interval '1 minute'
      ) < ${limit}
      returning tries[cardinality(tries)]::text as at`.execute(database);
    const [row] = rows;
    if (!row) throw new Refusal('illegal', '密码错误次数过多,请一分钟后再试');
    return { key, at: row.at };
  }

  /** By name, so that many right passwords at once are not taken for as many wrong ones. */
  const lasts = new Map<string, Promise<void>>();

  async function oneByOne<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const before = lasts.get(key);
    const { promise, resolve } = Promise.withResolvers<void>();
    lasts.set(key, promise);
    await before;
    try {
      return await work();
    } finally {
      resolve();
      if (lasts.get(key) === promise) lasts.delete(key);
    }
  }

  async function forgetTry({ key, at }: Try): Promise<void> {
    await sql`
      update accounts.failed_passwords set tries = array_remove(tries, ${at}::timestamptz)
      where username_key = ${key}`.execute(database);
  }

  return {
    hash: hashPassword,
    async check({ name, accounts, password, limit }) {
      const tries: Try[] = [];
      /** Counts, then looks: a try that comes to no end counts for nothing. */
      const isRight = (key: string, passwordHash: string | undefined) =>
        oneByOne(key, async () => {
          const counted = await countTry(key, limit);
          try {
            const right = await verifyPassword(passwordHash, password);
            if (right) await forgetTry(counted);
            else tries.push(counted);
            return right;
          } catch (error) {
            await forgetTry(counted);
            throw error;
          }
        });
      for (const account of accounts) {
        if (await isRight(usernameKey(account.username), account.passwordHash)) {
          // Another was meant by the name, so theirs was no wrong password.
          await Promise.all(tries.map(forgetTry));
          return account;
        }
      }
      if (accounts.length === 0) await isRight(usernameKey(name).slice(0, longestKey), undefined);
      return undefined;
    },
    async change(uid, password, except) {
      const passwordHash = await hashPassword(password);
      await tokens.endAll(uid, except, async (transaction) => {
        await transaction
          .updateTable('accounts.accounts')
          .set({ password_hash: passwordHash })
          .where('uid', '=', uid)
          .execute();
      });
    },
  };
}
