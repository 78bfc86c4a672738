import { sql } from 'kysely';
import { Uid } from '../../contracts/ids.ts';
import { Batcher } from '../postgres/batcher.ts';
import { hedged } from '../postgres/hedged.ts';
import type { AccountsDatabase } from './accounts-tables.ts';
import type { TokenHash } from './token-hash.ts';

/** The row of a token. */
export interface StoredToken {
  readonly uid: Uid;
  /** Seconds since its last recorded use. */
  readonly idleSeconds: number;
}

/** Reads rows of tokens, many in one query: a thousand tokens at the same moment are a few queries. */
export function createTokenReader(database: AccountsDatabase) {
  const reading = new Batcher(async (hashes: readonly TokenHash[]) => {
    // A page makes many requests with one token.
    const found = await hedged(() => readRows([...new Set(hashes)]));
    return hashes.map((tokenHash) => found.get(tokenHash));
  }, Number.POSITIVE_INFINITY);

  async function readRows(hashes: readonly TokenHash[]): Promise<Map<string, StoredToken>> {
    const bytes = hashes.map((tokenHash) => Buffer.from(tokenHash, 'hex'));
    const rows = await database
      .selectFrom('accounts.tokens')
      .select(['uid', sql<string>`encode(hash, 'hex')`.as('tokenHash')])
      .select(sql<number>`extract(epoch from now() - used)::float8`.as('idleSeconds'))
      .where('hash', '=', sql<Buffer>`any(${bytes}::bytea[])`)
      .execute();
    return new Map(
      rows.map(({ tokenHash, uid, idleSeconds }) => [
        tokenHash,
        { uid: Uid.parse(Number(uid)), idleSeconds },
      ]),
    );
  }

  return {
    /** The token's row; undefined if there is none. @throws what the database throws */
    read: (tokenHash: TokenHash): Promise<StoredToken | undefined> => reading.ask(tokenHash),
  };
}
