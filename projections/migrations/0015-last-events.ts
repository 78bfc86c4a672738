import { type Kysely, sql } from 'kysely';

/** The last event of each cache channel, for those who subscribe later. No event of the log: it expires. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  'create sequence presence.event_versions',
  `create table presence.last_events (
    channel text collate "C" primary key,
    -- its name and its data, each JSON as text
    event text not null,
    data text not null,
    -- grows with each event of the channel
    version bigint not null,
    expires timestamptz not null
  )`,
  'create index on presence.last_events (expires)',
];
