import type { Uid } from '../../../contracts/ids.ts';
import type { Settings } from '../../../contracts/settings.ts';
import type { Tokens } from '../../accounts/tokens.ts';
import type { ReadingDatabase } from '../../postgres/database.ts';

/** Whose a token is. The hash is sha-256 in hexadecimal: what the signal `token ended` names. */
export interface Session {
  readonly uid: Uid;
  readonly hash: string;
}

/** What the gateway needs to know of tokens. */
export interface Sessions {
  /** Whose token it is; undefined where it is none, or has ended. @throws what the database throws. */
  verify(token: string): Promise<Session | undefined>;
  /** The same of the token with this hash. @throws what the database throws. */
  standing(hash: string): Promise<Session | undefined>;
}

/** Judges by the store of tokens; how long they live is a setting. */
export function tokenSessions(
  tokens: Pick<Tokens, 'verify' | 'standing'>,
  settings: () => Promise<Pick<Settings, 'token_days'>>,
): Sessions {
  return {
    verify: async (token) => tokens.verify(token, (await settings()).token_days),
    standing: async (hash) => tokens.standing(hash, (await settings()).token_days),
  };
}

/** Which of the tokens, by their hashes, have not been ended. */
export async function standingSessions(
  database: ReadingDatabase,
  hashes: readonly string[],
): Promise<ReadonlySet<string>> {
  if (hashes.length === 0) return new Set();
  const { rows } = await database.query<{ hash: string }>(
    `select encode(hash, 'hex') as hash from accounts.tokens where hash = any($1::bytea[])`,
    [hashes.map((hash) => Buffer.from(hash, 'hex'))],
  );
  return new Set(rows.map(({ hash }) => hash));
}
