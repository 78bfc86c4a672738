import { type Kysely, sql } from 'kysely';

/** Who is online where. No event of the log: each gateway writes what hangs on it, and a heartbeat. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  'create schema presence',
  `create table presence.gateways (
    gateway text collate "C" primary key,
    -- the last heartbeat; what a gateway says holds for some seconds after it
    seen timestamptz not null,
    -- since when it is closing its sockets, so that they may reach another one first
    leaving timestamptz
  )`,
  `create table presence.users (
    uid bigint not null,
    gateway text collate "C" not null,
    primary key (uid, gateway)
  )`,
  'create index on presence.users (gateway)',
  `create table presence.logouts (
    uid bigint primary key,
    -- when the last socket closed, in seconds since 1970
    timestamp bigint not null
  )`,
  `create table presence.members (
    channel text collate "C" not null,
    user_id text collate "C" not null,
    gateway text collate "C" not null,
    -- the user_info that the channel's other members see, as JSON; null where there is none
    info text,
    primary key (channel, user_id, gateway)
  )`,
  'create index on presence.members (gateway)',
];
