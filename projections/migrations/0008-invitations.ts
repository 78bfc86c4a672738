import { type Kysely, sql } from 'kysely';

/** Invitations into groups stand among the applications. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Null: to be a friend.
  await sql`alter table read.applications add column gid bigint`.execute(db);
}
