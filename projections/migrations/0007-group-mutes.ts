import { type Kysely, sql } from 'kysely';

/**
 * Mutes by person and group, which outlast the membership. Those of members are taken over; a mute of one
 * who left before this version is known to the commands, which fold the log, and not here.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table read.group_mutes (
      gid bigint not null,
      uid bigint not null,
      -- in seconds since 1970
      until bigint not null,
      primary key (gid, uid)
    )`.execute(db);
  await sql`
    insert into read.group_mutes
      select gid, uid, muted_until from read.group_members where muted_until > 0`.execute(db);
}
