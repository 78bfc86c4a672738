import type { QueryResultRow } from 'pg';
import type { Gid, Uid } from '../../contracts/ids.ts';
import type { PushCursor } from '../../contracts/push/position.ts';
import type { PushRow } from '../../contracts/push/row.ts';
import type { BigintColumn, ReadingDatabase } from '../postgres/database.ts';
import { hedged } from '../postgres/hedged.ts';
import {
  type Checkpoint,
  type CheckpointRow,
  checkpointColumns,
  checkpointOf,
  fromCheckpoint,
} from './checkpoint.ts';

/** If a client missed more events than this on a channel, they are not replayed: it loads afresh. */
export const maxReplayedEvents = 1_000;

/** Whether a person is in a group. */
export interface MembershipFound {
  /** The position at which the person joined; undefined if they are no member, or the group was dissolved. */
  readonly joinedPosition: string | undefined;
}

/**
 * A page ends with the row that brings it to this size: about what the system accepts for a socket at a time, so
 * that the pages of a thousand clients that resume and do not read take 64 MB.
 */
const pageBytes = 65_536;

/** A page of pushes, and the checkpoint of the database snapshot in which they were read. */
export interface Page {
  readonly checkpoint: Checkpoint;
  readonly rows: readonly PushRow[];
  /** Whether there are later rows. */
  readonly more: boolean;
}

/**
 * SQL: whether all pushes after a cursor are kept. Expiry leaves the newest of the rows that are too old, as proof
 * that there were any. The arguments are parameters of the query.
 */
export function allKept(place: string, number: string): string {
  return `coalesce((
           select (place, number) <= (${place}, ${number}) or created > now() - interval '7 days'
             from pushes.push order by place, number limit 1
         ), true)`;
}

/** Reads the table `pushes.push`, the checkpoint, and who is in which group. Every method throws what the database throws. */
export class PushStore {
  readonly #database: ReadingDatabase;

  constructor(database: ReadingDatabase) {
    this.#database = database;
  }

  async checkpoint(): Promise<Checkpoint> {
    const { rows } = await this.#query<CheckpointRow>(`select ${checkpointColumns} from ${fromCheckpoint}`);
    return checkpointOf(rows[0]);
  }

  /** The memberships of pairs of a uid and a gid, in their order, and the checkpoint of the same snapshot. */
  async memberships(
    uids: readonly Uid[],
    gids: readonly Gid[],
  ): Promise<{ checkpoint: Checkpoint; found: MembershipFound[] }> {
    const { rows } = await this.#query<CheckpointRow & { joined: string | null; asked: BigintColumn | null }>(
      `select ${checkpointColumns}, asked.number as asked, m.joined_place as joined
         from ${fromCheckpoint}
         left join unnest($1::bigint[], $2::bigint[]) with ordinality as asked (uid, gid, number) on true
         left join (read.group_members m join read.groups g on g.gid = m.gid and g.state = 'normal')
           on m.gid = asked.gid and m.uid = asked.uid
        order by asked.number`,
      [uids, gids],
    );
    return {
      checkpoint: checkpointOf(rows[0]),
      found: rows
        .filter(({ asked }) => asked !== null)
        .map(({ joined }) => ({ joinedPosition: joined ?? undefined })),
    };
  }

  /** The first `maxRows` rows of the feeds after `after` and up to the position `upTo`, in the order of the log. */
  async rowsBetween(
    feeds: readonly string[],
    after: PushCursor,
    upTo: string,
    maxRows: number,
  ): Promise<PushRow[]> {
    const { rows } = await this.#query<PushRow>(
      `select place, number, channel, event, data from pushes.push
        where (place, number) > ($2, $3) and place <= $4 and channel = any($1)
        order by place, number limit $5`,
      [feeds, after.place, after.number, upTo, maxRows],
    );
    return rows;
  }

  /** A page of every `message` after `after`, on the channels of people and groups. */
  messagesAfter(after: PushCursor, maxRows: number): Promise<Page> {
    return this.#page(`event = 'message' and (place, number) > ($1, $2)`, [
      after.place,
      after.number,
      maxRows,
    ]);
  }

  /** A page of one feed after `after` and from the position `from` on. */
  feedAfter(feed: string, after: PushCursor, from: string, maxRows: number): Promise<Page> {
    return this.#page(`channel = $4 and place >= $5 and (place, number) > ($1, $2)`, [
      after.place,
      after.number,
      maxRows,
      feed,
      from,
    ]);
  }

  /** The first rows that fulfil the condition: at most `$3`, and no more than fit into a page. */
  async #page(condition: string, values: readonly unknown[]): Promise<Page> {
    const { rows } = await this.#query<
      CheckpointRow & { [Column in keyof PushRow]: PushRow[Column] | null } & { found: BigintColumn | null }
    >(
      `select ${checkpointColumns}, p.* from ${fromCheckpoint}
         left join lateral (
           select place, number, channel, event, data, found
             from (
               select first.*, count(*) over () as found,
                      row_number() over (order by place, number) as index,
                      sum(octet_length(data)) over (order by place, number) - octet_length(data) as before
                 from (
                   select place, number, channel, event, data from pushes.push
                    where ${condition} order by place, number limit $3::bigint + 1
                 ) first
             ) measured
            where index <= $3::bigint and before < ${pageBytes}
         ) p on true
        order by p.place, p.number`,
      [...values],
    );
    const page: PushRow[] = [];
    for (const { place, number, channel, event, data } of rows) {
      if (place === null || number === null || channel === null || event === null || data === null) continue;
      page.push({ place, number, channel, event, data });
    }
    return {
      checkpoint: checkpointOf(rows[0]),
      rows: page,
      more: page.length < Number(rows[0]?.found ?? 0),
    };
  }

  /**
   * Counts the rows of the feed after `after` and from the position `from` on, up to `maxCount`, and says whether
   * all of them are kept.
   */
  async missed(
    feed: string,
    after: PushCursor,
    from: string,
    maxCount: number,
  ): Promise<{ count: number; kept: boolean }> {
    const { rows } = await this.#query<{ count: BigintColumn; kept: boolean }>(
      `select
         (select count(*) from (
            select 1 from pushes.push
             where channel = $1 and place >= $4 and (place, number) > ($2, $3) limit $5
          ) missed) as count,
         ${allKept('$2', '$3')} as kept`,
      [feed, after.place, after.number, from, maxCount],
    );
    return { count: Number(rows[0]?.count ?? 0), kept: rows[0]?.kept === true };
  }

  /** Hedged, since many sockets wait for each of these queries. */
  #query<Found extends QueryResultRow>(text: string, values: readonly unknown[] = []) {
    return hedged(() => this.#database.query<Found>(text, [...values]));
  }
}
