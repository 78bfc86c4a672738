import { randomBytes } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import type { Logger } from 'pino';
import { Refusal } from '../../contracts/codes.ts';
import type { Uid } from '../../contracts/ids.ts';
import type { Bus } from '../bus/bus.ts';
import { sessionsTopic } from '../bus/topics.ts';
import { growingCache } from '../growing-cache.ts';
import type { AccountsDatabase, AccountsTables } from './accounts-tables.ts';
import { tokenHash as hashOf, readTokenHash, type TokenHash } from './token-hash.ts';
import { createTokenReader, type StoredToken } from './token-reader.ts';
import { createTokenUses, useRecordedSeconds } from './token-uses.ts';

export interface TokenOwner {
  readonly uid: Uid;
  readonly tokenHash: TokenHash;
}

/** What is kept of a login, for those who administer the system. */
export interface Login {
  /** As much of the client's address as the setting `audit_address` keeps. */
  readonly address?: string | undefined;
  /** What the client says that it is. */
  readonly device?: string | undefined;
}

export interface Tokens {
  /**
   * Issues a token to a person who has just shown the password of this account. Beyond `maxTokens` their least
   * recently used token ends.
   * @throws Refusal illegal if the password was changed meanwhile
   */
  issue(
    account: { readonly uid: Uid; readonly passwordHash: string },
    login?: Login,
  ): Promise<{ token: string; tokenHash: TokenHash; ended: readonly TokenHash[] }>;
  /**
   * The owner of a token; undefined if there is no such token, it has ended, or it was not used for `tokenDays`.
   * Usually answered from memory. The end of a token holds in this process at once, in others when the bus
   * delivers the signal, or within 5 s if the signal is lost.
   * @throws what the database throws
   */
  verify(token: string, tokenDays: number): Promise<TokenOwner | undefined>;
  /** As `verify`, by the token's hash. @throws what the database throws */
  verifyHash(tokenHash: string, tokenDays: number): Promise<TokenOwner | undefined>;
  /** Ends one token, and so its sockets. */
  end(tokenHash: TokenHash): Promise<void>;
  /** Ends all tokens of a user, in one transaction with what `alongside` does. */
  endAll(uid: Uid, alongside?: (transaction: Transaction<AccountsTables>) => Promise<void>): Promise<void>;
  /** Stops listening to the bus, and waits until the recorded uses are written. */
  close(): Promise<void>;
}

/** How long a row is cached; and from what age on it is read again in advance. */
const cachedMs = 5000;
const renewAfterMs = 4000;
const secondsADay = 86_400;
/**
 * Tokens of one person: daily logins on all their devices, and a backend that logs in for each run. Each token is a
 * row for `token_days`, and has its own limit of requests.
 */
const maxTokens = 1_000;
const form = /^[A-Za-z0-9_-]{43}$/;

interface CachedToken {
  /** undefined: there is no such token. */
  readonly row: StoredToken | undefined;
  /** When the row was requested: it was true then or later. */
  readonly readAt: number;
  renewing: boolean;
  useRecorded: boolean;
}

/** @param now milliseconds on a clock that never goes back */
export function createTokens(options: {
  readonly database: AccountsDatabase;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly now?: () => number;
}): Tokens {
  const { database, bus, logger, now = () => performance.now() } = options;
  const reader = createTokenReader(database);
  const uses = createTokenUses(database, logger);
  const valid = growingCache<TokenHash, CachedToken>(50_000);
  // A cache of its own, so that guessed tokens evict no valid ones.
  const unknown = growingCache<TokenHash, CachedToken>(10_000);
  /** Grows when tokens end: a row that was requested before may be one of theirs. */
  let endings = 0;

  function forgetToken(tokenHash: string): void {
    endings++;
    valid.delete(tokenHash as TokenHash);
  }

  function forgetUser(uid: number): void {
    endings++;
    for (const [tokenHash, { row }] of valid.entries()) {
      if (row?.uid === uid) valid.delete(tokenHash);
    }
  }

  const unsubscribes = [
    bus.onSignal(sessionsTopic, (signal) => {
      if (signal.kind === 'token ended') forgetToken(signal.token);
      if (signal.kind === 'user ended') forgetUser(signal.uid);
    }),
    bus.onInterruption(() => {
      endings++;
      valid.clear();
    }),
  ];

  async function read(tokenHash: TokenHash): Promise<CachedToken> {
    for (;;) {
      const readAt = now();
      const endingsBefore = endings;
      const row = await reader.read(tokenHash);
      const cached = { row, readAt, renewing: false, useRecorded: false };
      if (!row) {
        valid.delete(tokenHash);
        unknown.set(tokenHash, cached);
        return cached;
      }
      // Else this token may be the one that ended, and a socket opened with it would never get the signal.
      if (endings === endingsBefore) {
        valid.set(tokenHash, cached);
        return cached;
      }
    }
  }

  /** Reads the row again while the cached one is still used. If that fails, the cached one expires. */
  function renew(tokenHash: TokenHash, cached: CachedToken): void {
    cached.renewing = true;
    read(tokenHash).catch((error: unknown) => {
      cached.renewing = false;
      logger.warn({ err: error }, 'a token could not be read again');
    });
  }

  async function ownerOf(tokenHash: TokenHash, tokenDays: number): Promise<TokenOwner | undefined> {
    let cached = valid.get(tokenHash) ?? unknown.get(tokenHash);
    const ageMs = cached ? now() - cached.readAt : Number.POSITIVE_INFINITY;
    if (!cached || ageMs >= cachedMs) cached = await read(tokenHash);
    else if (ageMs >= renewAfterMs && !cached.renewing) renew(tokenHash, cached);
    const { row } = cached;
    if (!row || row.idleSeconds > tokenDays * secondsADay) return undefined;
    if (row.idleSeconds > useRecordedSeconds && !cached.useRecorded) {
      cached.useRecorded = true;
      uses.record(tokenHash);
    }
    return { uid: row.uid, tokenHash };
  }

  function announceEnd(tokenHash: string): void {
    forgetToken(tokenHash);
    bus.signal(sessionsTopic, { kind: 'token ended', token: tokenHash });
  }

  async function endBeyondMax(uid: Uid): Promise<TokenHash[]> {
    const { rows } = await sql<{ token_hash: TokenHash }>`
      delete from accounts.tokens where hash in (
        select hash from accounts.tokens where uid = ${uid}
        order by used desc, created desc, hash offset ${maxTokens}
      ) returning encode(hash, 'hex') as token_hash`.execute(database);
    const ended = rows.map(({ token_hash }) => token_hash);
    for (const tokenHash of ended) announceEnd(tokenHash);
    return ended;
  }

  return {
    async issue({ uid, passwordHash }, { address, device } = {}) {
      const token = randomBytes(32).toString('base64url');
      const tokenHash = hashOf(token);
      // The lock orders this before a change of password, which ends the token, or after it, which refuses it here.
      const { numAffectedRows } = await sql`
        insert into accounts.tokens (hash, uid, address, device)
        select ${Buffer.from(tokenHash, 'hex')}::bytea, uid, ${address ?? null}::text, ${device ?? null}::text from accounts.accounts
        where uid = ${uid} and password_hash = ${passwordHash} for share`.execute(database);
      if (!numAffectedRows) throw new Refusal('illegal', '用户名或密码错误');
      return { token, tokenHash, ended: await endBeyondMax(uid) };
    },
    async verify(token, tokenDays) {
      return form.test(token) ? ownerOf(hashOf(token), tokenDays) : undefined;
    },
    async verifyHash(text, tokenDays) {
      const tokenHash = readTokenHash(text);
      return tokenHash && ownerOf(tokenHash, tokenDays);
    },
    async end(tokenHash) {
      const hash = Buffer.from(tokenHash, 'hex');
      await database.deleteFrom('accounts.tokens').where('hash', '=', hash).execute();
      announceEnd(tokenHash);
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
      for (const unsubscribe of unsubscribes) unsubscribe();
      await uses.close();
    },
  };
}
