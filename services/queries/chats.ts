import { sql } from 'kysely';
import { groupAvatar, userAvatar } from '../../contracts/avatars.ts';
import type { ChattingEntry } from '../../contracts/http/pop.ts';
import type { Gid, Uid } from '../../contracts/ids.ts';
import type { MessageState } from '../../contracts/message-texts.ts';
import { type UnreadNumbers, unreadCount } from '../domain/reading.ts';
import { deletedFor, shown } from './deletions.ts';
import { isListed } from './inbox.ts';
import type { ListPage } from './list-page.ts';
import type { ReadDatabase } from './tables.ts';
import { unreadNumbers } from './unread.ts';

interface ChatRow extends UnreadNumbers {
  readonly type: 'friend' | 'group';
  readonly id: number;
  readonly name: string;
  readonly avatar: string | null;
  readonly faces: readonly Uid[] | null;
  readonly pinned: boolean;
  readonly mid: number | null;
  readonly sender: Uid | null;
  readonly content: string | null;
  readonly timestamp: number | null;
  readonly sub_type: 'message' | 'notice' | null;
  readonly state: MessageState | null;
  readonly sender_name: string | null;
  readonly sender_avatar: string | null;
}

/**
 * A page of a person's list of chats with the last message of each, pinned ones first, then by last message
 * (docs/behaviour.md, Uploads, QR codes, settings): one query, whatever the number of chats. Almost all of it is in the
 * rows of their inbox and of the conversations; the rest is looked up only for the chats of the page.
 */
export async function findChats(
  database: ReadDatabase,
  uid: Uid,
  { limit, start }: ListPage,
): Promise<Record<string, ChattingEntry>> {
  const { rows } = await sql<ChatRow>`
    with listed as (
      select i.*, c.last_place, 'friend' as type, 0::bigint as joined
        from read.inbox i
        left join read.conversations c on c.conversation = i.conversation
       where i.uid = ${uid} and i.conversation < 'g' and ${isListed}
      union all
      select i.*, c.last_place, 'group', m.joined_sequence
        from read.inbox i
        join read.group_members m on m.gid = i.party and m.uid = i.uid
        join read.groups g on g.gid = m.gid and g.state = 'normal'
        left join read.conversations c on c.conversation = i.conversation
       where i.uid = ${uid} and i.conversation >= 'g' and ${isListed}
    ), i as materialized (
      select * from listed
       order by pinned desc, last_place desc nulls last, party limit ${limit} offset ${start}
    )
    select i.type, i.party as id, i.pinned,
           coalesce(nullif(f.remark, ''), u.nickname, nullif(m.remark, ''), g.name, '') as name,
           coalesce(u.avatar, g.avatar) as avatar, g.faces,
           ${unreadNumbers(uid, sql`i.joined`)},
           l.mid, l.sender, l.content, l.timestamp, l.sub_type, l.state,
           coalesce(nullif(sf.remark, ''), s.nickname) as sender_name, s.avatar as sender_avatar
      from i
      left join read.users u on u.uid = case when i.type = 'friend' then i.party end
      left join read.friendships f on f.uid = i.uid and f.friend = u.uid
      left join read.groups g on g.gid = case when i.type = 'group' then i.party end
      left join read.group_members m on m.gid = g.gid and m.uid = i.uid
      left join read.conversations c on c.conversation = i.conversation
      left join lateral (${lastSeen(uid)}) l on true
      left join read.users s on s.uid = case when i.type = 'group' then l.sender end
      left join read.friendships sf on sf.uid = ${uid} and sf.friend = s.uid
     order by i.pinned desc, i.last_place desc nulls last, i.party`.execute(database);
  return Object.fromEntries(rows.map((row) => [`${row.type}${row.id}`, entry(uid, row)]));
}

/**
 * The chats of which `findChats` may look up a message that nobody read up to, took back or deleted. Their people are $1.
 * It is for read models in which other messages are missing (services/audit/as-of/).
 */
export const chatsLookedUp = `
  select i.conversation from read.inbox i left join read.conversations c using (conversation)
   where i.uid = any($1) and (i.read_others is null or c.newest_mid is null
     or exists (select from read.message_deletions d where d.uid = i.uid and d.conversation = i.conversation))`;

/**
 * The last message that a person sees of a chat: what the conversation keeps of it, else the one in read.messages.
 * In the surrounding query `i` is their read.inbox with the sequence of their joining, `c` read.conversations.
 */
function lastSeen(uid: Uid) {
  const deleted = deletedFor(uid, sql`i.conversation`, sql`c.sequence`);
  const kept = sql`c.newest_mid is not null and not ${deleted}`;
  return sql`
    select c.newest_mid as mid, c.newest_sender as sender, c.newest_content as content,
           c.newest_timestamp as timestamp, c.newest_sub_type as sub_type, c.newest_state as state
     where c.sequence > i.joined and ${kept}
    union all
    (select m.mid, m.sender, m.content, m.timestamp, m.sub_type, m.state
       from read.messages m
      where c.sequence > i.joined and not (${kept})
        and m.conversation = i.conversation and m.sequence > i.joined and m.state <> 'deleted'
        and not ${deletedFor(uid, sql`m.conversation`, sql`m.sequence`)}
      order by m.sequence desc limit 1)`;
}

function entry(uid: Uid, row: ChatRow): ChattingEntry {
  const group = row.type === 'group';
  return {
    type: row.type,
    id: row.id,
    ...(group ? { url: `/pop/group/chat/${row.id}` } : {}),
    avatar: group ? groupAvatar(row.avatar, row.faces ?? []) : userAvatar(row.avatar ?? ''),
    name: row.name,
    unread_count: unreadCount(row),
    top: row.pinned ? 1 : 0,
    ...(group ? { key: `group-${row.id}` } : {}),
    items: lastItem(uid, row),
  };
}

function lastItem(uid: Uid, row: ChatRow): ChattingEntry['items'] {
  const { type, id, mid, sender, content, timestamp, sub_type, state } = row;
  if (mid === null || sender === null || content === null || timestamp === null || !sub_type || !state)
    return [];
  const to = type === 'group' ? id : sender === uid ? id : uid;
  return [
    {
      mid,
      from: String(sender),
      to: String(to),
      ...shown({ content, sub_type, state }),
      timestamp,
      avatar: userAvatar(row.sender_avatar ?? ''),
      ...(type === 'group' ? { name: row.sender_name ?? '' } : {}),
    },
  ];
}

/** The groups that a person is in, by gid: their own name for each, else its name. */
export async function findGroups(
  database: ReadDatabase,
  uid: Uid,
): Promise<{ gid: Gid; avatar: string; name: string; uid: Uid }[]> {
  const rows = await database
    .selectFrom('read.group_members as m')
    .innerJoin('read.groups as g', 'g.gid', 'm.gid')
    .select(['g.gid', 'g.avatar', 'g.faces', 'g.name', 'g.owner', 'm.remark'])
    .where('m.uid', '=', uid)
    .where('g.state', '=', 'normal')
    .orderBy('g.created')
    .orderBy('g.gid')
    .execute();
  return rows.map(({ gid, avatar, faces, name, owner, remark }) => ({
    gid,
    avatar: groupAvatar(avatar, faces),
    name: remark || name,
    uid: owner,
  }));
}
