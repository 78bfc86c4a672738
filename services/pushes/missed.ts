import type { z } from 'zod';
import type { messageSync } from '../../contracts/http/message.ts';
import type { Uid } from '../../contracts/ids.ts';
import { globalChannel, userChannel } from '../../contracts/push/index.ts';
import {
  afterAll,
  comparePositions,
  formatPosition,
  type PushPosition,
  parsePosition,
} from '../../contracts/push/position.ts';
import { jsonObject } from '../../contracts/push/protocol.ts';
import { completeSettings, isSettingChange } from '../../contracts/push/setting.ts';
import type { ReadingDatabase } from '../postgres/database.ts';
import { allKept, maxReplayedEvents, PushRecord } from './record.ts';

/** A push as `message/sync` gives it. */
type Missed = z.infer<typeof messageSync.data>['events'][number];

/** Who asks, with the websocket's address by which they reached us. */
export interface Hearer {
  readonly uid: Uid;
  readonly appkey: string;
  readonly reachedAt: string;
}

/** What was pushed to one person. */
export interface MissedPushes {
  /** In the order of the log. */
  readonly events: readonly Missed[];
  /** Where the next asking goes on. */
  readonly position: string;
  /** What was missed cannot be given: load afresh, and go on at `position`. */
  readonly reset: boolean;
}

/**
 * What a person hears: their own channel, the global one, and the groups that they are in, each from
 * their latest joining on.
 */
const feeds = `
  select unnest($6::text[]) as channel, '' as start
  union all
  select 'group-' || m.gid, m.joined_place
    from read.group_members m join read.groups g on g.gid = m.gid and g.state = 'normal'
   where m.uid = $1`;

/** The rows of the feed `f` that lie after what the hearer has. */
const missed = `
  from read.push p
 where p.channel = f.channel and p.place >= f.start and (p.place, p.number) > ($2, $3)`;

interface FoundRow {
  readonly place: string | null;
  readonly number: number;
  readonly channel: string;
  readonly event: string;
  readonly data: string;
  readonly checkpoint: string;
  readonly kept: boolean;
  readonly too_much: boolean;
}

/**
 * The first `limit` pushes that lie strictly after `since`, in one look at the record, by the rule
 * that the sockets have too: none, but a reset, where `since` is of another log or cannot be read,
 * where `since` lies beyond the end of the log, where something is no longer kept, or where one channel has too much.
 */
export async function findMissedPushes(
  database: ReadingDatabase,
  { uid, appkey, reachedAt }: Hearer,
  since: string | undefined,
  limit: number,
  inLog: (place: string) => Promise<boolean>,
): Promise<MissedPushes> {
  const { position: place, epoch } = await new PushRecord(database).checkpoint();
  const at = since === undefined ? undefined : parsePosition(since);
  if (at === undefined || at.epoch !== epoch) return afresh(epoch, place);
  if (at.place > place && !(await inLog(at.place))) return afresh(epoch, place);
  const { rows: found } = await database.query<FoundRow>(
    `with feed as materialized (${feeds})
     select c.position as checkpoint, ${allKept('$2', '$3')} as kept,
            exists (select from feed f cross join lateral (select ${missed} offset $4 limit 1) more) as too_much,
            missed.*
       from read.checkpoint c
       left join lateral (
         select next.* from feed f cross join lateral (
           select p.place, p.number, p.channel, p.event, p.data ${missed} order by p.place, p.number limit $5
         ) next order by next.place, next.number limit $5
       ) missed on true
      where c.name = 'read'
      order by missed.place, missed.number`,
    [uid, at.place, at.number, maxReplayedEvents, limit + 1, [userChannel(uid), globalChannel]],
  );
  const [first] = found;
  if (!first?.kept || first.too_much) return afresh(epoch, first?.checkpoint ?? place);
  const events = found.flatMap(({ place: where, number, channel, event, data }): Missed[] => {
    if (where === null) return [];
    const position = formatPosition({ epoch, place: where, number });
    const shown = isSettingChange({ event }) ? completeSettings(data, appkey, reachedAt) : data;
    return [{ channel, event, data: jsonObject(shown) ?? {}, position }];
  });
  const last = events[limit - 1];
  if (events.length > limit && last) {
    return { events: events.slice(0, limit), position: last.position, reset: false };
  }
  const end: PushPosition = { epoch, place: first.checkpoint, number: afterAll };
  return { events, position: formatPosition(comparePositions(at, end) > 0 ? at : end), reset: false };
}

function afresh(epoch: string, place: string): MissedPushes {
  return { events: [], position: formatPosition({ epoch, place, number: afterAll }), reset: true };
}
