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
import {
  conversationPattern,
  feedsOfSource,
  firstOfChannel,
  someOfChannel,
  sourceChannels,
  sourcesOf,
} from './feed-sources.ts';
import {
  type NamedMessage,
  namedColumn,
  namedMessage,
  namesMessage,
  type StoredPush,
  sendersChannel,
  shownPush,
  storedBytes,
  storedColumns,
} from './stored-push.ts';

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

/** Pushes that follow on each other. */
interface Rows {
  readonly rows: readonly PushRow[];
  /** The last row that was read, also if clients get nothing of it; undefined if there are no later rows. */
  readonly next: PushCursor | undefined;
}

/** What a row has beside the push that is made of it. */
interface Stored {
  readonly epoch: string;
  readonly stored_request: string | null;
  readonly created: Date;
}

/** A row of a page, without the message that it names. */
interface Measured extends Omit<StoredPush, 'channel' | 'named'> {
  /** Null if it is that of the message's sender. */
  readonly channel: string | null;
  readonly mid: BigintColumn | null;
  /** How many rows there are, up to one more than a page has; null if there are none. */
  readonly found: BigintColumn | null;
}

/** Pushes of several feeds. */
interface FeedRows extends Rows {
  /** When the last row that was read was stored, in ms of the database's clock; undefined without rows. */
  readonly storedAt: number | undefined;
}

/** A page of pushes, and the checkpoint of the database snapshot in which they were read. */
export interface Page extends Rows {
  readonly checkpoint: Checkpoint;
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

  /**
   * The first `maxRows` rows of the feeds after `after` and up to the position `upTo`, in the order of the log. It reads
   * all rows between the two.
   */
  async rowsBetween(
    feeds: readonly string[],
    after: PushCursor,
    upTo: string,
    maxRows: number,
  ): Promise<FeedRows> {
    const { rows } = await this.#query<StoredPush & Stored>(
      `select ${storedColumns}, p.request as stored_request, p.created, c.epoch
         from followers.checkpoint c
         cross join lateral (
           select p.place, p.number, p.channel as source, feed.channel, p.event, p.data, p.mid, feed.viewer,
                  p.request, p.created
             from pushes.push p ${feedsOfSource}
            where (p.place, p.number) > ($2, $3) and p.place <= $4 and feed.channel = any($1)
            order by p.place, p.number fetch first ($5) rows with ties
         ) p
         ${namedMessage}
        where c.name = 'read'
        order by p.place, p.number, p.viewer = m.sender`,
      [feeds, after.place, after.number, upTo, maxRows],
    );
    return {
      rows: rows.flatMap((row) => {
        const shown = shownPush(row, row.epoch);
        if (shown === undefined) return [];
        return row.stored_request === null ? shown : { ...shown, request: row.stored_request };
      }),
      next: rows.length < maxRows ? undefined : rows.at(-1),
      storedAt: rows.at(-1)?.created.getTime(),
    };
  }

  /** A page of every `message` after `after`, on the channels of people and groups. */
  messagesAfter(after: PushCursor, maxRows: number): Promise<Page> {
    return this.#page(
      `select place, number, channel as source, case when channel !~ '${conversationPattern}' then channel end as channel,
              event, data, mid
         from pushes.push where event = 'message' and (place, number) > ($1, $2)
        order by place, number limit $3::bigint + 1`,
      [after.place, after.number, maxRows],
      null,
    );
  }

  /** A page of one feed after `after` and from the position `from` on. */
  feedAfter(feed: string, after: PushCursor, from: string, maxRows: number): Promise<Page> {
    const { channels, uid } = sourcesOf(feed);
    return this.#page(
      `select p.*, $6::text as channel
         from (${sourceChannels('$4', '$7')}) source
         cross join lateral (${firstOfChannel(
           'p.place, p.number, p.channel as source, p.event, p.data, p.mid',
           { channel: 'source.channel', after: { place: '$1', number: '$2' }, start: '$5' },
           '$3::bigint + 1',
         )}) p
        order by place, number limit $3::bigint + 1`,
      [after.place, after.number, maxRows, channels, from, feed, uid],
      uid,
    );
  }

  /**
   * A page of rows: at most `$3`, and no more than fit into one. The messages that they name are read by a second query, as
   * a page has few of the rows that are measured for it.
   * @param first SQL: the first `$3 + 1` of them
   * @param viewer whose feed it is, if it is a person's
   */
  async #page(first: string, values: readonly unknown[], viewer: Uid | null): Promise<Page> {
    const { rows } = await this.#query<CheckpointRow & Measured>(
      `select ${checkpointColumns}, p.* from ${fromCheckpoint}
         left join lateral (
           select *
             from (
               select stored.*, count(*) over () as found,
                      row_number() over (order by place, number) as index,
                      sum(bytes) over (order by place, number) - bytes as before
                 from (select p.*, ${storedBytes} as bytes from (${first}) p) stored
             ) measured
            where index <= $3::bigint and before < ${pageBytes}
         ) p on true
        order by p.place, p.number`,
      [...values],
    );
    const checkpoint = checkpointOf(rows[0]);
    // Without pushes there is one row, that of the checkpoint.
    const page = rows.filter(({ found }) => found !== null);
    const named = await this.#named(page.filter(namesMessage), viewer);
    const shown = page.flatMap((row) => {
      const message = named.get(row) ?? null;
      const channel = row.channel ?? (message ? sendersChannel(message) : row.source);
      return shownPush({ ...row, channel, named: message }, checkpoint.epoch) ?? [];
    });
    const more = page.length < Number(rows[0]?.found ?? 0);
    return { checkpoint, rows: shown, next: more ? page.at(-1) : undefined };
  }

  /** The messages that rows name, without those that are not there any more. */
  async #named<Row extends Pick<Measured, 'source' | 'mid'>>(
    rows: readonly Row[],
    viewer: Uid | null,
  ): Promise<Map<Row, NamedMessage>> {
    const found = new Map<Row, NamedMessage>();
    if (rows.length === 0) return found;
    const { rows: messages } = await this.#query<{ index: BigintColumn; named: NamedMessage | null }>(
      `select p.index, ${namedColumn}
         from (select source collate "C" as source, mid, index, $3::bigint as viewer
                 from unnest($1::text[], $2::bigint[]) with ordinality as given (source, mid, index)) p
         ${namedMessage}`,
      [rows.map(({ source }) => source), rows.map(({ mid }) => mid), viewer],
    );
    for (const { index, named } of messages) {
      const row = rows[Number(index) - 1];
      if (row !== undefined && named !== null) found.set(row, named);
    }
    return found;
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
    const { channels, uid } = sourcesOf(feed);
    const { rows } = await this.#query<{ count: BigintColumn; kept: boolean }>(
      `select
         (select count(*) from (
            select 1 from (${sourceChannels('$1', '$6')}) source cross join lateral (${someOfChannel(
              { channel: 'source.channel', after: { place: '$2', number: '$3' }, start: '$4' },
              '$5',
            )}) one limit $5
          ) missed) as count,
         ${allKept('$2', '$3')} as kept`,
      [channels, after.place, after.number, from, maxCount, uid],
    );
    return { count: Number(rows[0]?.count ?? 0), kept: rows[0]?.kept === true };
  }

  /** Hedged, since many sockets wait for each of these queries. */
  #query<Found extends QueryResultRow>(text: string, values: readonly unknown[] = []) {
    return hedged(() => this.#database.query<Found>(text, [...values]));
  }
}
