import { type Kysely, sql } from 'kysely';

/** From where people have logged in, and who guessed at an SMS code. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table accounts.known_addresses (
    uid bigint not null,
    -- an IPv4 address, or an IPv6 network of 64 bits
    address text collate "C" not null,
    -- behind the true last login by a day at most
    seen timestamptz not null default now(),
    primary key (uid, address)
  )`,
  'create index on accounts.known_addresses (seen)',
  // How many wrong ones came from each address; wrong_tries counts those of addresses that did not ask for it.
  `alter table accounts.sms_codes add column guesses jsonb not null default '{}'`,
];
