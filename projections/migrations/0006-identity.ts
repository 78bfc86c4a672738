import { type Kysely, sql } from 'kysely';

/**
 * What a log is known by again, beside the log in Postgres and, for whichever log the read models are
 * made from, in their checkpoint.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table log.identity (
    installation text not null,
    epoch text not null,
    -- there is one row
    one_row boolean primary key default true check (one_row)
  )`,
  // The installation whose log it is, null until it is known; the event that lies at the position; and
  // up to where events are taken in without pushing, because they were pushed before.
  `alter table read.checkpoint
     add column installation text,
     add column event_id uuid,
     add column quiet_until text collate "C" not null default ''`,
  'drop function read.advance(text, bigint, text, bigint)',
  `create function read.advance(was text, held bigint, reached text, reached_id uuid, next bigint) returns void
   language plpgsql as $$
   begin
     update read.checkpoint set position = reached, event_id = reached_id, batch = next
       where name = 'read' and position = was and fence = held;
     if not found then
       raise exception 'another projector has gone on from the checkpoint' using errcode = 'BI001';
     end if;
   end $$`,
];
