import { sql } from 'kysely';
import type { Uid } from '../../contracts/ids.ts';
import type { AccountsDatabase } from './accounts-tables.ts';
import { sessionOf, type TokenHash } from './token-hash.ts';

/** A login of a person that lasts, without what it logs in by. */
export interface Session {
  /** As in the metadata of events. */
  readonly session: string;
  /** Both in seconds since 1970; `used` is at most an hour older than the last use. */
  readonly created: number;
  readonly used: number;
  readonly address: string | null;
  readonly device: string | null;
}

/** The logins of people, for those who administer the system. */
export interface Sessions {
  /** Those that were used within `tokenDays`, the last used first: at most as many as a person can have. */
  list(uid: Uid, tokenDays: number): Promise<Session[]>;
  /** The tokens of a person whose session has this name: one, but for the rarest of chances. */
  tokensOf(uid: Uid, session: string): Promise<TokenHash[]>;
}

export function createSessions(database: AccountsDatabase): Sessions {
  return {
    async list(uid, tokenDays) {
      const { rows } = await sql<Omit<Session, 'session'> & { tokenHash: TokenHash }>`
        select encode(hash, 'hex') as "tokenHash", address, device,
               floor(extract(epoch from created))::float8 as created,
               floor(extract(epoch from used))::float8 as used
          from accounts.tokens
         where uid = ${uid} and used > now() - make_interval(secs => ${tokenDays * 86_400})
         order by accounts.tokens.used desc, accounts.tokens.created desc, hash`.execute(database);
      return rows.map(({ tokenHash, ...session }) => ({ session: sessionOf(tokenHash), ...session }));
    },
    async tokensOf(uid, session) {
      const { rows } = await sql<{ tokenHash: TokenHash }>`
        select encode(hash, 'hex') as "tokenHash" from accounts.tokens where uid = ${uid}`.execute(database);
      return rows.map(({ tokenHash }) => tokenHash).filter((tokenHash) => sessionOf(tokenHash) === session);
    },
  };
}
