import type { z } from 'zod';
import type { messageSync } from '../../contracts/http/message.ts';
import type { Uid } from '../../contracts/ids.ts';
import { announcementChannel, globalChannel, userChannel } from '../../contracts/push/index.ts';
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
import { firstOfChannel, someOfChannel } from './feed-sources.ts';
import { allKept, maxReplayedEvents, PushStore } from './push-store.ts';
import { namedMessage, type StoredPush, shownPush, storedColumns } from './stored-push.ts';

/** A push in the answer to `message/sync`. */
type MissedPush = z.infer<typeof messageSync.data>['events'][number];

/** Who calls `message/sync`. */
export interface Recipient {
  readonly uid: Uid;
  readonly appkey: string;
  /** The address of the websocket for this client, with its port. */
  readonly wsAddress: string;
}

/** The pushes that one person missed. */
export interface MissedPushes {
  /** In the order of the log. */
  readonly events: readonly MissedPush[];
  /** The `since` of the next call. */
  readonly position: string;
  /** The missed pushes cannot be given: the client loads afresh, and goes on from `position`. */
  readonly reset: boolean;
}

/**
 * SQL: the feeds of a person with the channels under which `pushes.push` has their rows (stored-push.ts), and the position
 * from which each is theirs: those of `feedsOf`, and those of their groups since they last joined.
 */
const feeds = `
  select name, name collate "C" as channel, '' collate "C" as start from unnest($6::text[]) as name
  union all
  select 'user-' || uid, conversation, '' from read.inbox where uid = $1::bigint and conversation < 'g'
  union all
  select 'group-' || m.gid, source.channel, m.joined_place
    from read.group_members m join read.groups g on g.gid = m.gid and g.state = 'normal'
    cross join lateral (values ('group-' || m.gid), ('g' || m.gid)) as source (channel)
   where m.uid = $1::bigint`;

/** The feeds of which all is a person's to read. */
const feedsOf = (uid: Uid) => [userChannel(uid), globalChannel, announcementChannel];

/** The pushes of the feed `f` that the person has not seen. */
const missed = { channel: 'f.channel', after: { place: '$2', number: '$3' }, start: 'f.start' };

/** SQL: whether one feed has more than `$4` of them. */
const tooMuch = `
  exists (
    select from (select distinct name from feed) named
     where (select count(*) from (
              select from feed f cross join lateral (${someOfChannel(missed, '$4::bigint + 1')}) more
               where f.name = named.name limit $4::bigint + 1
            ) counted) > $4::bigint)`;

interface FoundRow extends Omit<StoredPush, 'place'> {
  readonly place: string | null;
  readonly checkpoint: string;
  readonly kept: boolean;
  readonly too_much: boolean;
}

/**
 * The first `limit` pushes strictly after `since`, of one database snapshot. As on sockets, the answer is a reset if
 * `since` cannot be read, is of another log or beyond the end of this one, if a push after it is no longer kept, or
 * if one channel has more than `maxReplayedEvents`.
 * @param inLog whether the log has an event at a position beyond the checkpoint
 * @throws what the database throws
 */
export async function findMissedPushes(
  database: ReadingDatabase,
  { uid, appkey, wsAddress }: Recipient,
  since: string | undefined,
  limit: number,
  inLog: (position: string) => Promise<boolean>,
): Promise<MissedPushes> {
  const { position: end, epoch } = await new PushStore(database).checkpoint();
  const seen = since === undefined ? undefined : parsePosition(since);
  if (seen === undefined || seen.epoch !== epoch) return resetTo(epoch, end);
  if (seen.place > end && !(await inLog(seen.place))) return resetTo(epoch, end);
  const { rows: found } = await database.query<FoundRow>(
    `with feed as materialized (${feeds})
     select c.position as checkpoint, ${allKept('$2', '$3')} as kept,
            ${tooMuch} as too_much, missed.*
       from followers.checkpoint c
       left join lateral (
         select ${storedColumns}
           from (
             select next.*, f.name as channel, $1::bigint as viewer
               from feed f
               cross join lateral (${firstOfChannel(
                 'p.place, p.number, p.channel as source, p.event, p.data, p.mid',
                 missed,
                 '$5',
               )}) next
              order by next.place, next.number limit $5
           ) p ${namedMessage}
       ) missed on true
      where c.name = 'read'
      order by missed.place, missed.number`,
    [uid, seen.place, seen.number, maxReplayedEvents, limit + 1, feedsOf(uid)],
  );
  const [first] = found;
  if (!first?.kept || first.too_much) return resetTo(epoch, first?.checkpoint ?? end);
  const stored = found.flatMap(({ place, ...row }): StoredPush[] =>
    place === null ? [] : [{ ...row, place }],
  );
  const page = stored.slice(0, limit);
  const events = page.flatMap((row): MissedPush[] => {
    const push = shownPush(row, epoch);
    if (push === undefined) return [];
    const { place, number, channel, event, data } = push;
    const position = formatPosition({ epoch, place, number });
    const completed = isSettingChange({ event }) ? completeSettings(data, appkey, wsAddress) : data;
    return [{ channel, event, data: jsonObject(completed) ?? {}, position }];
  });
  const last = page.at(-1);
  if (stored.length > limit && last !== undefined) {
    return { events, position: formatPosition({ ...last, epoch }), reset: false };
  }
  const reached: PushPosition = { epoch, place: first.checkpoint, number: afterAll };
  const next = comparePositions(seen, reached) > 0 ? seen : reached;
  return { events, position: formatPosition(next), reset: false };
}

function resetTo(epoch: string, position: string): MissedPushes {
  return { events: [], position: formatPosition({ epoch, place: position, number: afterAll }), reset: true };
}
