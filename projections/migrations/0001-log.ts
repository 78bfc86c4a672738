import { type Kysely, sql } from 'kysely';

/** The event log, for installations that keep it in Postgres. See services/log/postgres.ts. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create schema log`.execute(db);
  await sql`
    create table log.events (
      position bigint primary key,
      stream text collate "C" not null,
      revision bigint not null,
      id uuid not null unique,
      type text not null,
      data text not null,
      metadata text not null,
      recorded timestamptz not null default clock_timestamp(),
      unique (stream, revision)
    )`.execute(db);
  await sql`create table log.head (position bigint not null)`.execute(db);
  await sql`insert into log.head values (0)`.execute(db);
}
