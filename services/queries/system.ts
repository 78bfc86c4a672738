import { sql } from 'kysely';
import { readModelCategories } from '../../contracts/events/index.ts';
import type { EventLog, Position } from '../log/log.ts';
import { alive } from './presence.ts';
import type { ReadDatabase } from './tables.ts';

/** How far a follower of the log is: the read models, the index of the log, read models that are made again. */
export interface FollowerState {
  readonly name: string;
  readonly position: Position;
  /** How much of the log it lacks: events in Postgres, bytes in EventStoreDB. */
  readonly behind: number;
  /** Of what it makes, if it has versions. */
  readonly version: string | null;
}

/** How far every follower of the log is. @throws LogFailure; what the database throws */
export async function findFollowers(
  database: ReadDatabase,
  log: Pick<EventLog, 'end' | 'extent'>,
): Promise<FollowerState[]> {
  const { rows } = await sql<Omit<FollowerState, 'behind'>>`
    select name, position, version from followers.checkpoint order by name`.execute(database);
  const end = await log.end(readModelCategories);
  return rows.map((row) => ({ ...row, behind: Math.max(0, log.extent(row.position, end)) }));
}

/** A gateway, and how many people have an open websocket on it. */
export interface GatewayState {
  readonly gateway: string;
  readonly alive: boolean;
  /** In milliseconds since 1970. */
  readonly seen: number;
  readonly users: number;
}

/** The gateways of the installation that are alive or died lately. @throws what the database throws */
export async function findGateways(database: ReadDatabase): Promise<GatewayState[]> {
  const { rows } = await sql<{ gateway: string; alive: boolean; seen: Date; users: string }>`
    select gateway, ${sql.raw(alive)} as alive, seen,
           (select count(*) from presence.users u where u.gateway = g.gateway) as users
      from presence.gateways g order by gateway limit 100`.execute(database);
  return rows.map(({ seen, users, ...rest }) => ({ ...rest, seen: seen.getTime(), users: Number(users) }));
}

/** The bytes that the tables and indexes of each schema take on disk. @throws what the database throws */
export async function findSizes(database: ReadDatabase): Promise<{ schema: string; bytes: number }[]> {
  const { rows } = await sql<{ schema: string; bytes: string }>`
    select n.nspname as schema, sum(pg_total_relation_size(c.oid)) as bytes
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'm', 'S') and n.nspname !~ '^(pg_|information_schema)'
     group by 1 order by 2 desc limit 50`.execute(database);
  return rows.map(({ schema, bytes }) => ({ schema, bytes: Number(bytes) }));
}

/** What the installation's connections to the database are used for. */
export interface ConnectionUse {
  readonly name: string;
  readonly count: number;
  /** When the first of them began, in milliseconds since 1970. */
  readonly since: number;
}

/** The connections to the database, by what they are used for. @throws what the database throws */
export async function findConnections(database: ReadDatabase): Promise<ConnectionUse[]> {
  const { rows } = await sql<{ name: string; count: string; since: Date }>`
    select application_name as name, count(*) as count, min(backend_start) as since
      from pg_stat_activity
     where datname = current_database() and application_name like 'bubble-im%'
     group by 1 order by 1 limit 100`.execute(database);
  return rows.map(({ name, count, since }) => ({ name, count: Number(count), since: since.getTime() }));
}
