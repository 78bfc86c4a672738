import { type Kysely, sql } from 'kysely';

/**
 * What was uploaded: the name by which it is downloaded, and the bytes that each person's uploads take.
 * No event of the log holds either.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table accounts.uploads (
    path text collate "C" primary key,
    -- null if the server's key uploaded for nobody
    uid bigint,
    name text not null,
    bytes bigint not null,
    uploaded timestamptz not null default now()
  )`,
  // The sum of a person's uploads, changed in the same statement: a sum over 100,000 rows takes too long.
  `create table accounts.upload_usage (
    uid bigint primary key,
    bytes bigint not null
  )`,
];
