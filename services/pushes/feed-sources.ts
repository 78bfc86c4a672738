import { Gid, groupConversation, Uid } from '../../contracts/ids.ts';

/** Matches a channel of `pushes.push` that is a conversation, as those of rows that name a message are. */
export const conversationPattern = '^[fg][0-9]';

/**
 * SQL: the first pushes `p` of a channel, as many as `maxRows` says and all others of the batch of the last one. They are
 * strictly after a cursor and from the position `start` on. The arguments are expressions.
 */
export const firstOfChannel = (columns: string, of: ChannelRange, maxRows: string) => `
  select ${columns} from pushes.push p where ${inRange(of)}
   order by p.batch fetch first (${maxRows}) rows with ties`;

/** SQL: the same, to be counted: any of them, no more than `maxRows`. */
export const someOfChannel = (of: ChannelRange, maxRows: string) => `
  select from pushes.push p where ${inRange(of)} limit ${maxRows}`;

interface ChannelRange {
  readonly channel: string;
  readonly after: { readonly place: string; readonly number: string };
  readonly start: string;
}

/**
 * The index has the hash of the channel and the batch: a later push is of the same batch or of a later one. What tells
 * apart the few beside those that are asked for is a `case`: else the planner would estimate that few rows are left, and
 * sort all of them.
 */
const inRange = ({ channel, after: { place, number }, start }: ChannelRange) => `
  hashtextextended(p.channel, 0) = hashtextextended(${channel}, 0)
    and p.batch >= greatest(
      (select batch from pushes.push where (place, number) > (${place}, ${number})
        order by place, number limit 1),
      case when ${start} > ${place} then (
        select batch from pushes.push where place >= ${start} order by place, number limit 1) end)
    and case when p.channel = ${channel} and (p.place, p.number) > (${place}, ${number})
              and p.place >= ${start} then true end`;

/** Under which channels `pushes.push` has the rows of a feed (stored-push.ts). */
export interface FeedSources {
  readonly channels: readonly string[];
  /** Those of this person's conversations with others, too. */
  readonly uid: Uid | null;
}

/** @param feed as `contracts/push/index.ts` makes it, of ids that are valid */
export function sourcesOf(feed: string): FeedSources {
  const [, kind, id] = /^(user|group)-(\d+)$/.exec(feed) ?? [];
  if (kind === 'user') return { channels: [feed], uid: Uid.parse(Number(id)) };
  if (kind === 'group') return { channels: [feed, groupConversation(Gid.parse(Number(id)))], uid: null };
  return { channels: [feed], uid: null };
}

/** SQL: the channels of `FeedSources`, given as parameters of the query. */
export function sourceChannels(channels: string, uid: string): string {
  return `
    select unnest(${channels}::text[]) collate "C" as channel
    union all
    select conversation from read.inbox where uid = ${uid}::bigint and conversation < 'g'`;
}

/** SQL: the feeds of a stored channel as the table `feed`, with the person whose feed it is if it is a conversation of two. */
export const feedsOfSource = `
  cross join lateral (
    select p.channel, null::bigint as viewer where p.channel !~ '${conversationPattern}'
    union all
    select 'group-' || substr(p.channel, 2), null where p.channel ~ '^g[0-9]'
    union all
    select 'user-' || party, party::bigint
      from unnest(string_to_array(substr(p.channel, 2), '-')) as party where p.channel ~ '^f[0-9]'
  ) feed`;
