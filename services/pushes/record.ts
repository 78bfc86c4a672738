import type { QueryResultRow } from 'pg';
import type { Gid, Uid } from '../../contracts/ids.ts';
import type { PushRow } from '../../contracts/push/row.ts';
import { defaultSettings } from '../../contracts/settings.ts';
import type { BigintColumn, ReadingDatabase } from '../postgres/database.ts';
import { hedged } from '../postgres/hedged.ts';

/** More events than this on a channel are not replayed: the client loads afresh. */
export const maxReplayedEvents = 1_000;

/** Up to where the read models reach. */
export interface Checkpoint {
  readonly position: string;
  readonly batch: number;
  readonly epoch: string;
  /** The projector's that made it. */
  readonly fence: number;
  /** False while the read models are made again from the log: they then lack most of it. */
  readonly whole: boolean;
  /** Whether the setting `escape_html` is on there. */
  readonly escapes: boolean;
}

/** A person in a group; `joinedPlace` is undefined where they are no member of a group that stands. */
export interface MembershipFound {
  readonly joinedPlace: string | undefined;
}

/**
 * A page ends with the row that brings it to so many bytes: about what the system takes for a socket at a
 * time, so that a thousand who resume and do not read hold 64 MB.
 */
const pageBytes = 65_536;

/** Rows of the record, and the checkpoint of the snapshot in which they were read. */
export interface Page {
  readonly checkpoint: Checkpoint;
  readonly rows: readonly PushRow[];
  /** Whether there are others after them. */
  readonly more: boolean;
}

/** Where a reader of one channel stands: what lies strictly after it is next. */
export interface Cursor {
  readonly place: string;
  readonly number: number;
}

interface CheckpointRow {
  position: string;
  batch: BigintColumn;
  epoch: string;
  fence: BigintColumn;
  whole: boolean;
  escape_html: string | null;
}

const checkpointColumns = 'c.position, c.batch, c.epoch, c.fence, c.whole, c.escape_html';
const fromCheckpoint = `(select position, batch, epoch, fence, position >= quiet_until as whole,
         (select value from read.settings where name = 'escape_html') as escape_html
  from read.checkpoint where name = 'read') c`;

function checkpointOf(row: CheckpointRow | undefined): Checkpoint {
  if (row === undefined) throw new Error('the read models have no checkpoint: the database is not migrated');
  const { position, batch, epoch, fence, whole, escape_html } = row;
  const escapes = (escape_html ?? defaultSettings.escape_html) === 'on';
  return { position, batch: Number(batch), epoch, fence: Number(fence), whole, escapes };
}

/**
 * Whether all that was pushed after a place and number is kept. Of the rows that are cleared away with
 * age the newest stays, to tell that there were any. The arguments are parameters of the query.
 */
export function allKept(place: string, number: string): string {
  return `coalesce((
           select (place, number) <= (${place}, ${number}) or created > now() - interval '7 days'
             from read.push order by place, number limit 1
         ), true)`;
}

/** Reads the read models' own record of what was to be pushed, and who is in which group. */
export class PushRecord {
  readonly #database: ReadingDatabase;

  constructor(database: ReadingDatabase) {
    this.#database = database;
  }

  async checkpoint(): Promise<Checkpoint> {
    const { rows } = await this.#query<CheckpointRow>(`select ${checkpointColumns} from ${fromCheckpoint}`);
    return checkpointOf(rows[0]);
  }

  /** Who of the pairs is a member, with the checkpoint of the same snapshot. */
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
        .map(({ joined }) => ({ joinedPlace: joined ?? undefined })),
    };
  }

  /** The rows of the feeds after `after` and up to the place `upTo`, in the order of the log. */
  async rowsBetween(
    feeds: readonly string[],
    after: Cursor,
    upTo: string,
    limit: number,
  ): Promise<PushRow[]> {
    const { rows } = await this.#query<PushRow>(
      `select place, number, channel, event, data from read.push
        where (place, number) > ($2, $3) and place <= $4 and channel = any($1)
        order by place, number limit $5`,
      [feeds, after.place, after.number, upTo, limit],
    );
    return rows;
  }

  /** Every `message` on a person's or group's feed after `after`, and the checkpoint, in one snapshot. */
  messagesAfter(after: Cursor, limit: number): Promise<Page> {
    return this.#page(`event = 'message' and (place, number) > ($1, $2)`, [after.place, after.number, limit]);
  }

  /** The rows of one feed after `after` and not before the place `from`, in one snapshot. */
  feedAfter(feed: string, after: Cursor, from: string, limit: number): Promise<Page> {
    return this.#page(`channel = $4 and place >= $5 and (place, number) > ($1, $2)`, [
      after.place,
      after.number,
      limit,
      feed,
      from,
    ]);
  }

  /** The first rows of those that fulfil the condition: `$3` at most, and no more than fit into a page. */
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
                   select place, number, channel, event, data from read.push
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

  /** How much a reader of the feed at `after` has missed (counted up to `limit`), and whether it is all kept. */
  async missed(
    feed: string,
    after: Cursor,
    from: string,
    limit: number,
  ): Promise<{ count: number; kept: boolean }> {
    const { rows } = await this.#query<{ count: BigintColumn; kept: boolean }>(
      `select
         (select count(*) from (
            select 1 from read.push
             where channel = $1 and place >= $4 and (place, number) > ($2, $3) limit $5
          ) missed) as count,
         ${allKept('$2', '$3')} as kept`,
      [feed, after.place, after.number, from, limit],
    );
    return { count: Number(rows[0]?.count ?? 0), kept: rows[0]?.kept === true };
  }

  /** All that this gateway's sockets wait for goes through here, one question at a time. */
  #query<Found extends QueryResultRow>(text: string, values: readonly unknown[] = []) {
    return hedged(() => this.#database.query<Found>(text, [...values]));
  }
}
