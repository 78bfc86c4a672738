import { type ColumnType, type Generated, Kysely, PostgresDialect } from 'kysely';
import type { Pool } from 'pg';

/** `pg` gives a bigint as text, unless a parser is set for it; both go through `Number`. */
type BigInteger = ColumnType<string | number, number, number>;
type Sequential = ColumnType<string | number, never, never>;
type Instant = ColumnType<Date, Date | undefined, Date>;

/** The tables of the schema `accounts`, as projections/migrations make them. */
export interface AccountsTables {
  'accounts.accounts': {
    uid: BigInteger;
    username: string;
    username_key: string;
    phone: string | null;
    number_id: BigInteger;
    password_hash: string;
    registered: Generated<boolean>;
    created: Instant;
    deleted: Generated<boolean>;
  };
  /** Under a username's key, a blank, and the address or `*` for all addresses that are not known. */
  'accounts.failed_passwords': { username_key: string; tries: Date[] };
  'accounts.tokens': {
    hash: Buffer;
    uid: BigInteger;
    created: Instant;
    used: Instant;
    address: string | null;
    device: string | null;
  };
  'accounts.captchas': { id: string; hash: Buffer; created: Instant };
  'accounts.sms_codes': {
    id: Sequential;
    phone: string;
    purpose: string;
    hash: Buffer;
    wrong_tries: Generated<number>;
    sent: Instant;
    spent: Generated<boolean>;
    address: string;
    guesses: Generated<Record<string, number>>;
  };
  'accounts.known_addresses': { uid: BigInteger; address: string; seen: Instant };
  'accounts.sms_inbox': { id: Sequential; phone: string; type: string; code: string; sent: Instant };
  'accounts.created_groups': { uid: BigInteger; unique_id: string; gid: BigInteger; request_hash: string };
  'accounts.uploads': {
    path: string;
    uid: BigInteger | null;
    name: string;
    bytes: BigInteger;
    uploaded: Generated<Date>;
  };
  'accounts.upload_usage': { uid: BigInteger; bytes: BigInteger };
}

export type AccountsDatabase = Kysely<AccountsTables>;

/** The accounts' tables over a pool that stays its owner's to end. */
export function accountsDatabase(pool: Pool): AccountsDatabase {
  return new Kysely<AccountsTables>({ dialect: new PostgresDialect({ pool }) });
}
