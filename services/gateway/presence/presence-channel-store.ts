import type { PoolClient } from 'pg';
import type { BigintColumn, Database } from '../../postgres/database.ts';
import { inLockedTransaction, lock } from './advisory-lock.ts';

/** A user on a presence channel of this gateway; `info` is JSON as text. */
export interface MemberRow {
  readonly channel: string;
  readonly userId: string;
  readonly info: string | null;
}

/** Whether a user is on a channel, on any gateway. */
export interface MemberChange {
  readonly userId: string;
  readonly info: string | null;
  readonly here: boolean;
}

/** The changes of a channel up to a version. */
export interface ChannelChanges {
  readonly channel: string;
  readonly version: number;
  readonly changes: readonly MemberChange[];
}

/** How long departures can be read: twice as long as gateways rely on changes before they read all members. */
const departuresKeptSeconds = 120;

/** SQL: the version of the newest change of the channel `a.channel`. */
const latest = `greatest(
  (select max(version) from presence.members where channel = a.channel),
  (select max(version) from presence.departures where channel = a.channel), 0)`;

/** Deletes members that fulfil the condition, writes that they left, and deletes old departures. */
async function deleteMembers(
  client: PoolClient,
  condition: string,
  values: readonly unknown[],
): Promise<void> {
  await client.query(
    `delete from presence.departures where left_at < now() - interval '${departuresKeptSeconds} seconds'`,
  );
  await client.query(
    `with gone as (delete from presence.members where ${condition} returning channel, user_id)
     insert into presence.departures (channel, user_id) select distinct channel, user_id from gone
     on conflict (channel, user_id) do update set version = excluded.version, left_at = excluded.left_at`,
    [...values],
  );
}

/** Deletes the members of dead gateways, in the caller's transaction. @throws what the database throws. */
export async function clearMembers(client: PoolClient, gateways: readonly string[]): Promise<void> {
  if (gateways.length === 0) return;
  await lock(client, 'presenceChannels');
  await deleteMembers(client, 'gateway = any($1)', [gateways]);
}

/**
 * Reads and writes the tables of who is on which presence channel for one gateway. Every method throws what the
 * database throws.
 */
export class PresenceChannelStore {
  readonly #database: Database;
  readonly #gateway: string;

  constructor(database: Database, gateway: string) {
    this.#database = database;
    this.#gateway = gateway;
  }

  /** Writes who came to a channel on this gateway, and who left one. */
  async write(came: readonly MemberRow[], left: readonly Omit<MemberRow, 'info'>[]): Promise<void> {
    if (came.length + left.length === 0) return;
    // One writer at a time, so that versions become visible in their order.
    await inLockedTransaction(this.#database, 'presenceChannels', async (client) => {
      await client.query(
        `insert into presence.members (channel, user_id, info, gateway)
         select *, $4 from unnest($1::text[], $2::text[], $3::text[])
         on conflict (channel, user_id, gateway) do update
           set info = excluded.info, version = nextval('presence.member_versions')`,
        [
          came.map(({ channel }) => channel),
          came.map(({ userId }) => userId),
          came.map(({ info }) => info),
          this.#gateway,
        ],
      );
      await deleteMembers(
        client,
        'gateway = $1 and (channel, user_id) in (select * from unnest($2::text[], $3::text[]))',
        [this.#gateway, left.map(({ channel }) => channel), left.map(({ userId }) => userId)],
      );
    });
  }

  /** Who is on the channels, on all gateways. The rows of a dead gateway count until another deletes them. */
  async all(channels: readonly string[]): Promise<ChannelChanges[]> {
    return this.#read(
      `select a.channel, ${latest} as version, m.*, m."userId" is not null as here
         from unnest($1::text[]) as a (channel)
         left join lateral (
           select distinct on (user_id) user_id as "userId", info
             from presence.members join presence.gateways using (gateway)
            where channel = a.channel order by user_id, gateway
         ) m on true`,
      [channels],
    );
  }

  /** Who came to each channel or left it after the given version. */
  async changed(channels: ReadonlyMap<string, number>): Promise<ChannelChanges[]> {
    return this.#read(
      `select a.channel, ${latest} as version, changed.user_id as "userId", m.info, m.here is true as here
         from unnest($1::text[], $2::bigint[]) as a (channel, since)
         left join lateral (
           select user_id from presence.members where channel = a.channel and version > a.since
           union
           select user_id from presence.departures where channel = a.channel and version > a.since
         ) changed on true
         left join lateral (
           select info, true as here
             from presence.members join presence.gateways using (gateway)
            where channel = a.channel and user_id = changed.user_id order by gateway limit 1
         ) m on true`,
      [[...channels.keys()], [...channels.values()]],
    );
  }

  async #read(text: string, values: unknown[]): Promise<ChannelChanges[]> {
    const { rows } = await this.#database.query<
      Omit<MemberChange, 'userId'> & { channel: string; version: BigintColumn; userId: string | null }
    >(text, values);
    const found = new Map<string, { channel: string; version: number; changes: MemberChange[] }>();
    for (const { channel, version, userId, info, here } of rows) {
      const one = found.get(channel) ?? { channel, version: Number(version), changes: [] };
      found.set(channel, one);
      if (userId !== null) one.changes.push({ userId, info, here });
    }
    return [...found.values()];
  }

  /** The first `maxUsers` ids of users on a channel after the id `after`, ordered as bytes. */
  async page(channel: string, after: string, maxUsers: number): Promise<string[]> {
    const { rows } = await this.#database.query<{ userId: string }>(
      `select distinct m.user_id as "userId"
         from presence.members m join presence.gateways g using (gateway)
        where m.channel = $1 and m.user_id > $2
        order by m.user_id limit $3`,
      [channel, after, maxUsers],
    );
    return rows.map(({ userId }) => userId);
  }

  /** The number of users on each channel that has any. */
  async count(channels: readonly string[]): Promise<Map<string, number>> {
    const { rows } = await this.#database.query<{ channel: string; count: number }>(
      `select m.channel, count(distinct m.user_id)::int as count
         from presence.members m join presence.gateways g using (gateway)
        where m.channel = any($1)
        group by m.channel`,
      [channels],
    );
    return new Map(rows.map(({ channel, count }) => [channel, count]));
  }
}
