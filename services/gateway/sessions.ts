import type { Uid } from '../../contracts/ids.ts';
import type { ReadingDatabase } from './database.ts';

/** Whose a token is. The hash is sha-256 in hexadecimal: what the signal `token ended` names. */
export interface Session {
  readonly uid: Uid;
  readonly hash: string;
}

/** What the gateway needs to know of tokens. */
export interface Sessions {
  /** Whose token it is; undefined where it is none, or has ended. @throws what the database throws. */
  verify(token: string): Promise<Session | undefined>;
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
