import type { PoolClient } from 'pg';
import { Uid } from '../../../contracts/ids.ts';
import type { BigintColumn, Database } from '../../postgres/database.ts';
import { inLockedTransaction } from './advisory-lock.ts';
import type { GatewayBeats } from './gateway-watch.ts';
import { clearMembers } from './presence-channel-store.ts';

/** A user came online or went offline, on all gateways together: friends are notified of it. */
export interface PresenceChange {
  readonly uid: Uid;
  readonly state: 'online' | 'offline';
}

/** Users who came online on this gateway, and those who went offline, with the time in seconds since 1970. */
export interface PresenceWrites {
  readonly opened: readonly Uid[];
  readonly closed: ReadonlyMap<Uid, number>;
}

interface UidRow {
  uid: BigintColumn;
}

const uidOf = (row: UidRow): Uid => Uid.parse(Number(row.uid));

/**
 * Reads and writes the tables of who is online for one gateway. A row counts until its gateway is cleared. Every
 * method throws what the database throws.
 */
export class OnlineUsersStore {
  readonly #database: Database;
  readonly #gateway: string;

  constructor(database: Database, gateway: string) {
    this.#database = database;
    this.#gateway = gateway;
  }

  /** Writes a heartbeat. @returns false if this gateway was taken for dead, and its rows are deleted */
  async beat(): Promise<boolean> {
    const { rows } = await this.#database.query<{ known: boolean }>(
      `insert into presence.gateways as g (gateway, seen, beats) values ($1, now(), 1)
       on conflict (gateway) do update set seen = now(), beats = g.beats + 1 returning g.xmax <> 0 as known`,
      [this.#gateway],
    );
    return rows[0]?.known === true;
  }

  /** Marks this gateway as closing its sockets: its users have a moment to reach another gateway. */
  async leave(): Promise<void> {
    await this.#database.query('update presence.gateways set leaving = now() where gateway = $1', [
      this.#gateway,
    ]);
  }

  /** Writes who came and who went. @returns what changed by it, on all gateways together */
  async write({ opened, closed }: PresenceWrites): Promise<PresenceChange[]> {
    // One writer at a time. Else two gateways, one closing and one opening a user's socket, could both miss the other.
    return inLockedTransaction(this.#database, 'onlineUsers', async (client) => {
      const changes: PresenceChange[] = [];
      if (opened.length > 0) {
        const { rows } = await client.query<UidRow>(
          `with before as (select uid from presence.users where uid = any($1::bigint[])),
                written as (
                  insert into presence.users select uid, $2 from unnest($1::bigint[]) as came (uid)
                  on conflict do nothing)
           select uid from unnest($1::bigint[]) as came (uid) where uid not in (select uid from before)`,
          [opened, this.#gateway],
        );
        for (const row of rows) changes.push({ uid: uidOf(row), state: 'online' });
      }
      if (closed.size > 0) {
        const uids = [...closed.keys()];
        await client.query('delete from presence.users where gateway = $1 and uid = any($2::bigint[])', [
          this.#gateway,
          uids,
        ]);
        return changes.concat(await this.#setOffline(client, uids, [...closed.values()]));
      }
      return changes;
    });
  }

  /** The counts of heartbeats of all gateways, this one included. */
  async beats(): Promise<GatewayBeats[]> {
    const { rows } = await this.#database.query<{ gateway: string; beats: BigintColumn; leaving: boolean }>(
      'select gateway, beats, leaving is not null as leaving from presence.gateways',
    );
    return rows.map(({ gateway, beats, leaving }) => ({ gateway, beats: Number(beats), leaving }));
  }

  /** Deletes dead gateways, except those that beat meanwhile, and their rows. @returns who is offline by it */
  async clear(gone: readonly GatewayBeats[]): Promise<PresenceChange[]> {
    if (gone.length === 0) return [];
    return inLockedTransaction(this.#database, 'onlineUsers', async (client) => {
      const { rows: dead } = await client.query<{ gateway: string; died: BigintColumn }>(
        `delete from presence.gateways
          where (gateway, beats) in (select * from unnest($1::text[], $2::bigint[]))
         returning gateway, extract(epoch from coalesce(leaving, seen))::bigint as died`,
        [gone.map(({ gateway }) => gateway), gone.map(({ beats }) => beats)],
      );
      const names = dead.map(({ gateway }) => gateway);
      await clearMembers(client, names);
      const { rows: left } = await client.query<UidRow & { gateway: string }>(
        'delete from presence.users where gateway = any($1) returning uid, gateway',
        [names],
      );
      const died = new Map(dead.map((row) => [row.gateway, Number(row.died)]));
      const latest = new Map<Uid, number>();
      for (const row of left) {
        const uid = uidOf(row);
        latest.set(uid, Math.max(latest.get(uid) ?? 0, died.get(row.gateway) ?? 0));
      }
      return this.#setOffline(client, [...latest.keys()], [...latest.values()]);
    });
  }

  /** Writes the time at which users went offline, unless they have a row on another gateway. */
  async #setOffline(
    client: PoolClient,
    uids: readonly Uid[],
    times: readonly number[],
  ): Promise<PresenceChange[]> {
    const { rows } = await client.query<UidRow>(
      `insert into presence.logouts as l
       select went.uid, went.at from unnest($1::bigint[], $2::bigint[]) as went (uid, at)
        where not exists (select 1 from presence.users u where u.uid = went.uid)
       on conflict (uid) do update set timestamp = greatest(l.timestamp, excluded.timestamp)
       returning uid`,
      [uids, times],
    );
    return rows.map((row) => ({ uid: uidOf(row), state: 'offline' as const }));
  }

  /** The friends of the users who are online. */
  async friendsOnline(uids: readonly Uid[]): Promise<{ uid: Uid; friend: Uid }[]> {
    const { rows } = await this.#database.query<UidRow & { friend: BigintColumn }>(
      `select f.uid, f.friend from read.friendships f
        where f.uid = any($1::bigint[])
          and exists (select 1 from presence.users u where u.uid = f.friend)`,
      [uids],
    );
    return rows.map((row) => ({ uid: uidOf(row), friend: Uid.parse(Number(row.friend)) }));
  }
}
