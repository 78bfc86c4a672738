import type { Database } from './database.ts';

/** Someone on a presence channel of this gateway; `info` is JSON as text. */
export interface MemberRow {
  readonly channel: string;
  readonly userId: string;
  readonly info: string | null;
}

/** The table of who is on which presence channel, as one gateway writes it. */
export class MemberStore {
  readonly #database: Database;
  readonly #gateway: string;

  constructor(database: Database, gateway: string) {
    this.#database = database;
    this.#gateway = gateway;
  }

  /** Writes who came onto a channel here. */
  async enter(rows: readonly MemberRow[]): Promise<void> {
    if (rows.length === 0) return;
    await this.#database.query(
      `insert into presence.members as m (channel, user_id, info, gateway)
       select *, $4 from unnest($1::text[], $2::text[], $3::text[])
       on conflict (channel, user_id, gateway) do update set info = excluded.info`,
      [
        rows.map(({ channel }) => channel),
        rows.map(({ userId }) => userId),
        rows.map(({ info }) => info),
        this.#gateway,
      ],
    );
  }

  /** Takes away who left a channel here. */
  async exit(rows: readonly Omit<MemberRow, 'info'>[]): Promise<void> {
    if (rows.length === 0) return;
    await this.#database.query(
      `delete from presence.members where gateway = $3
         and (channel, user_id) in (select * from unnest($1::text[], $2::text[]))`,
      [rows.map(({ channel }) => channel), rows.map(({ userId }) => userId), this.#gateway],
    );
  }

  /** Who is on the channels, over all gateways. The rows of a dead one are cleared away by the others. */
  async read(channels: readonly string[]): Promise<MemberRow[]> {
    const { rows } = await this.#database.query<MemberRow>(
      `select distinct on (m.channel, m.user_id) m.channel, m.user_id as "userId", m.info
         from presence.members m join presence.gateways g using (gateway)
        where m.channel = any($1)
        order by m.channel, m.user_id, m.gateway`,
      [channels],
    );
    return rows;
  }

  /** A page of the ids of who is on a channel, in their order as bytes, those after `after`. */
  async page(channel: string, after: string, limit: number): Promise<string[]> {
    const { rows } = await this.#database.query<{ userId: string }>(
      `select distinct m.user_id as "userId"
         from presence.members m join presence.gateways g using (gateway)
        where m.channel = $1 and m.user_id > $2
        order by m.user_id limit $3`,
      [channel, after, limit],
    );
    return rows.map(({ userId }) => userId);
  }

  /** How many users are on each of the channels where anyone is. */
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
