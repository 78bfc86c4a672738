import { Gid, groupConversation, Uid } from '../../contracts/ids.ts';

/** Matches a channel of `pushes.push` that is a conversation, as those of rows that name a message are. */
export const conversationPattern = '^[fg][0-9]';

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
