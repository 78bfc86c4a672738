import { hash as digest, randomBytes } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { Refusal } from '../../contracts/codes.ts';
import type { Uid } from '../../contracts/ids.ts';
import type { Bus } from '../bus/bus.ts';
import { sessionsTopic } from '../bus/topics.ts';
import type { AccountsDatabase, AccountsTables } from './tables.ts';
import { createTokenReader, type StandingToken } from './token-reader.ts';
import { createTokenUses, useNotedSeconds } from './token-uses.ts';

/** What is kept of a token, and named by the signal `token ended`: its sha-256, in hex. */
export type TokenHash = string & { readonly __brand: 'TokenHash' };

export interface TokenOwner {
  readonly uid: Uid;
  readonly hash: TokenHash;
}

export interface Tokens {
  /**
   * Gives a token to whoever has just shown the password of this account. If they have `mostTokens` then, the
   * one that was not used for longest ends.
   * @throws Refusal `illegal` where the password was changed meanwhile.
   */
  issue(account: {
    readonly uid: Uid;
    readonly passwordHash: string;
  }): Promise<{ token: string; hash: TokenHash }>;
  /**
   * Whose token it is; `undefined` where it is none, was ended, or not used for `tokenDays`. Answered
   * from memory as a rule. A token ended here is known at once, elsewhere once the bus tells it, and
   * should the signal be lost, within 5 s.
   * @throws what the database throws.
   */
  verify(token: string, tokenDays: number): Promise<TokenOwner | undefined>;
  /** As `verify`, for who holds only the token's hash. @throws what the database throws. */
  standing(hash: string, tokenDays: number): Promise<TokenOwner | undefined>;
  /** Ends one token; its sockets hear of it. */
  end(hash: TokenHash): Promise<void>;
  /** Ends all of a user's tokens, in one transaction with what `alongside` does. */
  endAll(uid: Uid, alongside?: (transaction: Transaction<AccountsTables>) => Promise<void>): Promise<void>;
  /** Stops listening, once the uses noted so far are written. */
  close(): Promise<void>;
}

/** How long a row that was read is believed; and from when on it is read again beforehand. */
const believedMilliseconds = 5000;
const renewedMilliseconds = 4000;
const secondsADay = 86_400;
/**
 * One person's tokens: logins of every day on all their devices and of a backend that logs in for each run. Each
 * is a row for `token_days`, and has a limit of requests of its own.
 */
const mostTokens = 1_000;
const form = /^[A-Za-z0-9_-]{43}$/;
const hashForm = /^[0-9a-f]{64}$/;

interface Verdict {
  /** `undefined`: there is no such token. */
  readonly standing: StandingToken | undefined;
  /** When it was asked for, so not later than it was true. */
  readonly asked: number;
  renewing: boolean;
  noted: boolean;
}

/** The hash under which a token is kept. */
export function tokenHash(token: string): TokenHash {
  return digest('sha256', token, 'hex') as TokenHash;
}

/** @param now milliseconds on a clock that never goes back. */
export function createTokens(options: {
  readonly database: AccountsDatabase;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly now?: () => number;
}): Tokens {
  const { database, bus, logger, now = () => performance.now() } = options;
  const reader = createTokenReader(database);
  const uses = createTokenUses(database, logger);
  const living = new LRUCache<TokenHash, Verdict>({ max: 50_000 });
  // Apart, so that whoever guesses tokens drives none of the true ones out.
  const unknown = new LRUCache<TokenHash, Verdict>({ max: 10_000 });
  /** Grows whenever something ended: a row read before it may be one of the ended. */
  let endings = 0;

  function forgetToken(hash: string): void {
    endings++;
    living.delete(hash as TokenHash);
  }

  function forgetUser(uid: number): void {
    endings++;
    for (const [hash, verdict] of living.entries()) {
      if (verdict.standing?.uid === uid) living.delete(hash);
    }
  }

  const stopHearing = [
    bus.onSignal(sessionsTopic, (signal) => {
      if (signal.kind === 'token ended') forgetToken(signal.token);
      if (signal.kind === 'user ended') forgetUser(signal.uid);
    }),
    bus.onInterruption(() => {
      endings++;
      living.clear();
    }),
  ];

  async function ask(hash: TokenHash): Promise<Verdict> {
    for (;;) {
      const asked = now();
      const endingsBefore = endings;
      const standing = await reader.read(hash);
      const verdict = { standing, asked, renewing: false, noted: false };
      if (!standing) {
        living.delete(hash);
        unknown.set(hash, verdict);
        return verdict;
      }
      // Otherwise it may be just what has ended: whoever opens a socket on it would never hear of that.
      if (endings === endingsBefore) {
        living.set(hash, verdict);
        return verdict;
      }
    }
  }

  /** Reads the row anew while the old verdict still serves; where that fails, it runs out. */
  function renew(hash: TokenHash, verdict: Verdict): void {
    verdict.renewing = true;
    ask(hash).catch((error: unknown) => {
      verdict.renewing = false;
      logger.warn({ err: error }, 'a token could not be looked at again');
    });
  }

  async function standing(hash: TokenHash, tokenDays: number): Promise<TokenOwner | undefined> {
    let verdict = living.get(hash) ?? unknown.get(hash);
    const age = verdict ? now() - verdict.asked : Number.POSITIVE_INFINITY;
    if (!verdict || age >= believedMilliseconds) verdict = await ask(hash);
    else if (age >= renewedMilliseconds && !verdict.renewing) renew(hash, verdict);
    const row = verdict.standing;
    if (!row || row.idleSeconds > tokenDays * secondsADay) return undefined;
    if (row.idleSeconds > useNotedSeconds && !verdict.noted) {
      verdict.noted = true;
      uses.note(hash);
    }
    return { uid: row.uid, hash };
  }

  function tellEnded(hash: string): void {
    forgetToken(hash);
    bus.signal(sessionsTopic, { kind: 'token ended', token: hash });
  }

  async function endBeyondMost(uid: Uid): Promise<void> {
    const { rows } = await sql<{ hash: string }>`
      delete from accounts.tokens where hash in (
        select hash from accounts.tokens where uid = ${uid}
        order by used desc, created desc, hash offset ${mostTokens}
      ) returning encode(hash, 'hex') as hash`.execute(database);
    for (const { hash } of rows) tellEnded(hash);
  }

  return {
    async issue({ uid, passwordHash }) {
      const token = randomBytes(32).toString('base64url');
      const hash = tokenHash(token);
      // The lock sets it before or after a change of password, which then ends it or refuses it here.
      const { numAffectedRows } = await sql`
        insert into accounts.tokens (hash, uid)
        select ${Buffer.from(hash, 'hex')}::bytea, uid from accounts.accounts
        where uid = ${uid} and password_hash = ${passwordHash} for share`.execute(database);
      if (!numAffectedRows) throw new Refusal('illegal', '用户名或密码错误');
      await endBeyondMost(uid);
      return { token, hash };
    },
    async verify(token, tokenDays) {
      return form.test(token) ? standing(tokenHash(token), tokenDays) : undefined;
    },
    async standing(hash, tokenDays) {
      return hashForm.test(hash) ? standing(hash as TokenHash, tokenDays) : undefined;
    },
    async end(hash) {
      await database.deleteFrom('accounts.tokens').where('hash', '=', Buffer.from(hash, 'hex')).execute();
      tellEnded(hash);
    },
    async endAll(uid, alongside) {
      await database.transaction().execute(async (transaction) => {
        await alongside?.(transaction);
        await transaction.deleteFrom('accounts.tokens').where('uid', '=', uid).execute();
      });
      forgetUser(uid);
      bus.signal(sessionsTopic, { kind: 'user ended', uid });
    },
    async close() {
      for (const stop of stopHearing) stop();
      await uses.close();
    },
  };
}
