import { sql } from 'kysely';
import { Uid } from '../../contracts/ids.ts';
import { hedged } from '../postgres/hedged.ts';
import type { AccountsDatabase } from './tables.ts';
import type { TokenHash } from './tokens.ts';

/** A token as its row stood. */
export interface StandingToken {
  readonly uid: Uid;
  /** Since its last recorded use. */
  readonly idleSeconds: number;
}

type Waiting = PromiseWithResolvers<StandingToken | undefined>;

/**
 * Reads tokens' rows: those asked for while one query is under way go together in the next, so
 * that a thousand tokens to look at are a few queries. Nobody joins a query that was sent before.
 */
export function createTokenReader(database: AccountsDatabase) {
  let waiting = new Map<TokenHash, Waiting>();
  let reading = false;

  async function readWaiting(): Promise<void> {
    if (reading) return;
    reading = true;
    while (waiting.size > 0) {
      const asked = waiting;
      waiting = new Map();
      try {
        const found = await hedged(() => readRows([...asked.keys()]));
        for (const [hash, answer] of asked) answer.resolve(found.get(hash));
      } catch (error) {
        for (const answer of asked.values()) answer.reject(error);
      }
    }
    reading = false;
  }

  async function readRows(hashes: readonly TokenHash[]): Promise<Map<string, StandingToken>> {
    const bytes = hashes.map((hash) => Buffer.from(hash, 'hex'));
    const rows = await database
      .selectFrom('accounts.tokens')
      .select(['uid', sql<string>`encode(hash, 'hex')`.as('hash')])
      .select(sql<number>`extract(epoch from now() - used)::float8`.as('idleSeconds'))
      .where('hash', '=', sql<Buffer>`any(${bytes}::bytea[])`)
      .execute();
    return new Map(
      rows.map(({ hash, uid, idleSeconds }) => [hash, { uid: Uid.parse(Number(uid)), idleSeconds }]),
    );
  }

  return {
    /** The token's row, `undefined` where there is none. @throws what the database throws. */
    read(hash: TokenHash): Promise<StandingToken | undefined> {
      const joined = waiting.get(hash);
      if (joined) return joined.promise;
      const answer: Waiting = Promise.withResolvers();
      waiting.set(hash, answer);
      void readWaiting();
      return answer.promise;
    },
  };
}
