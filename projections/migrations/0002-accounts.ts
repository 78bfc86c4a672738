import { type Kysely, sql } from 'kysely';

/** What must not be in the log: who owns a name, password hashes, tokens, SMS codes; and where ids come from. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create schema accounts`.execute(db);
  for (const name of ['uid', 'application_id', 'reply_id', 'mid']) {
    await sql`create sequence ${sql.id('accounts', name)}`.execute(db);
  }
  await sql`
    create table accounts.accounts (
      uid bigint primary key,
      username text not null,
      username_key text collate "C" not null unique,
      phone text unique,
      number_id bigint not null unique,
      password_hash text not null,
      registered boolean not null default false,
      created timestamptz not null default now()
    )`.execute(db);
  await sql`
    create table accounts.tokens (
      hash bytea primary key,
      uid bigint not null,
      created timestamptz not null default now(),
      used timestamptz not null default now()
    )`.execute(db);
  await sql`create index on accounts.tokens (uid)`.execute(db);
  await sql`
    create table accounts.sms_codes (
      phone text not null,
      purpose text not null,
      hash bytea not null,
      wrong_tries int not null default 0,
      sent timestamptz not null default now(),
      spent boolean not null default false,
      address text not null
    )`.execute(db);
  await sql`create index on accounts.sms_codes (phone, purpose, sent desc)`.execute(db);
  await sql`create index on accounts.sms_codes (address, sent desc)`.execute(db);
  await sql`
    create table accounts.created_groups (
      uid bigint not null,
      unique_id text not null,
      gid bigint not null,
      request_hash text not null,
      primary key (uid, unique_id)
    )`.execute(db);
}
