import { sql } from 'kysely';
import { groupAvatar, userAvatar } from '../../contracts/avatars.ts';
import type { ChattingEntry } from '../../contracts/http/pop.ts';
import type { Gid, Uid } from '../../contracts/ids.ts';
import type { MessageState } from '../../contracts/message-texts.ts';
import { shown } from './messages.ts';
import type { ReadDatabase } from './tables.ts';
import { deletesAny, unreadSince } from './unread.ts';

interface ChatRow {
  readonly type: 'friend' | 'group';
  readonly id: number;
  readonly name: string;
  readonly avatar: string | null;
  readonly faces: readonly Uid[] | null;
  readonly pinned: boolean;
  readonly marked_unread: number;
  readonly unread: number;
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
 * A person's list of chats with the last message of each, pinned ones first, then by last message
 * (BEHAVIOUR, pop/get): one query, whatever the number of chats.
 */
export async function findChats(database: ReadDatabase, uid: Uid): Promise<Record<string, ChattingEntry>> {
  const unread = unreadSince(sql`${uid}::bigint`, sql`chat.conversation`, sql`chat.base`);
  const { rows } = await sql<ChatRow>`
    with chat as (
      select i.uid, i.conversation, 'friend' as type, u.uid as id, i.pinned, i.marked_unread,
             0::bigint as joined, i.read_sequence as base, i.hidden_sequence,
             coalesce(nullif(f.remark, ''), u.nickname) as name, u.avatar, null::bigint[] as faces
        from read.inbox i
        join read.users u on u.uid =
          split_part(substr(i.conversation, 2), '-', 1)::bigint
          + split_part(substr(i.conversation, 2), '-', 2)::bigint - i.uid
        left join read.friendships f on f.uid = i.uid and f.friend = u.uid
       where i.uid = ${uid} and i.conversation like 'f%'
      union all
      select i.uid, i.conversation, 'group', g.gid, i.pinned, i.marked_unread,
             m.joined_sequence, greatest(i.read_sequence, m.joined_sequence), i.hidden_sequence,
             coalesce(nullif(m.remark, ''), g.name), g.avatar, g.faces
        from read.group_members m
        join read.groups g on g.gid = m.gid and g.state = 'normal'
        join read.inbox i on i.uid = m.uid and i.conversation = 'g' || m.gid
       where m.uid = ${uid}
    )
    select chat.type, chat.id, chat.name, chat.avatar, chat.faces, chat.pinned, chat.marked_unread,
           coalesce(${unread}, 0) as unread, l.mid, l.sender, l.content, l.timestamp, l.sub_type, l.state,
           coalesce(nullif(sf.remark, ''), s.nickname) as sender_name, s.avatar as sender_avatar
      from chat
      left join read.conversations c on c.conversation = chat.conversation
      left join lateral (
        select m.mid, m.sender, m.content, m.timestamp, m.sub_type, m.state from read.messages m
         where m.conversation = chat.conversation and m.sequence > chat.joined and m.state <> 'deleted'
           and not (${deletesAny(sql`${uid}::bigint`)} and exists (
                 select from read.message_deletions d
                  where d.uid = ${uid} and d.conversation = m.conversation and d.sequence = m.sequence))
         order by m.sequence desc limit 1
      ) l on true
      left join read.users s on s.uid = l.sender
      left join read.friendships sf on sf.uid = ${uid} and sf.friend = l.sender
     where chat.hidden_sequence is null or c.last_message_sequence > chat.hidden_sequence
     order by chat.pinned desc, c.last_place desc nulls last, chat.id`.execute(database);
  return Object.fromEntries(rows.map((row) => [`${row.type}${row.id}`, entry(uid, row)]));
}

function entry(uid: Uid, row: ChatRow): ChattingEntry {
  const group = row.type === 'group';
  return {
    type: row.type,
    id: row.id,
    ...(group ? { url: `/pop/group/chat/${row.id}` } : {}),
    avatar: group ? groupAvatar(row.avatar, row.faces ?? []) : userAvatar(row.avatar ?? ''),
    name: row.name,
    unread_count: Math.max(row.unread, row.marked_unread),
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
): Promise<{ gid: Gid; avatar: string; name: string }[]> {
  const rows = await database
    .selectFrom('read.group_members as m')
    .innerJoin('read.groups as g', 'g.gid', 'm.gid')
    .select(['g.gid', 'g.avatar', 'g.faces', 'g.name', 'm.remark'])
    .where('m.uid', '=', uid)
    .where('g.state', '=', 'normal')
    .orderBy('g.created')
    .orderBy('g.gid')
    .execute();
  return rows.map(({ gid, avatar, faces, name, remark }) => ({
    gid,
    avatar: groupAvatar(avatar, faces),
    name: remark || name,
  }));
}
