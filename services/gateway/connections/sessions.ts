import type { Uid } from '../../../contracts/ids.ts';
import type { Settings } from '../../../contracts/settings.ts';
import type { Tokens } from '../../accounts/tokens.ts';
import type { ReadingDatabase } from '../../postgres/database.ts';

/** The owner of a token. The hash is SHA-256 in hexadecimal, as in the signal `token ended`. */
export interface Session {
  readonly uid: Uid;
  readonly tokenHash: string;
}

/** Verifies tokens. */
export interface Sessions {
  /** The owner of a token; undefined if there is no such token, or it has ended. @throws what the database throws. */
  verify(token: string): Promise<Session | undefined>;
  /** The same for the token with this hash. @throws what the database throws. */
  verifyHash(tokenHash: string): Promise<Session | undefined>;
}

/** Verifies by the accounts' tokens, which end after the days that the setting `token_days` names. */
export function tokenSessions(
  tokens: Pick<Tokens, 'verify' | 'verifyHash'>,
  settings: () => Promise<Pick<Settings, 'token_days'>>,
): Sessions {
  return {
    verify: async (token) => tokens.verify(token, (await settings()).token_days),
    verifyHash: async (tokenHash) => tokens.verifyHash(tokenHash, (await settings()).token_days),
  };
}

/** Returns those of the tokens that have not been ended. @throws what the database throws. */
export async function liveTokens(
  database: ReadingDatabase,
  tokenHashes: readonly string[],
): Promise<ReadonlySet<string>> {
  if (tokenHashes.length === 0) return new Set();
  const { rows } = await database.query<{ hash: string }>(
    `select encode(hash, 'hex') as hash from accounts.tokens where hash = any($1::bytea[])`,
    [tokenHashes.map((hash) => Buffer.from(hash, 'hex'))],
  );
  return new Set(rows.map(({ hash }) => hash));
}
