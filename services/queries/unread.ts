import { type RawBuilder, sql } from 'kysely';
import { type ConversationId, conversationParties, type Uid } from '../../contracts/ids.ts';
import { type UnreadNumbers, unreadCount } from '../domain/reading.ts';
import { deletesAny } from './deletions.ts';
import type { ReadDatabase } from './tables.ts';

/**
 * The columns that `unreadCount` counts by. They take a few numbers of two rows, and more only in rare cases; the time
 * does not depend on the number of unread messages. In the surrounding query `i` is the reader's read.inbox and `c`
 * read.conversations.
 * @param joined in the surrounding query: the sequence after which they may read
 */
export function unreadNumbers(uid: Uid, joined: RawBuilder<unknown>) {
  return sql`
    c.sequence, c.counted, i.own, i.read_sequence, i.marked_unread,
    coalesce(i.read_others, case when c.sequence > i.read_sequence then ${othersRead(joined)} end) as read_others,
    case when c.dead_sequence > i.read_sequence then
      (select count(*) from read.messages m
        where m.conversation = i.conversation and m.sequence > i.read_sequence and m.state <> 'normal'
          and m.sub_type = 'message' and m.sender <> i.uid) else 0 end as taken,
    case when c.sequence > i.read_sequence and ${deletesAny(uid)} then
      (select count(*) from read.message_deletions d
         join read.messages m on m.conversation = d.conversation and m.sequence = d.sequence
        where d.uid = i.uid and d.conversation = i.conversation and d.sequence > i.read_sequence
          and m.state = 'normal' and m.sub_type = 'message' and m.sender <> i.uid) else 0 end as deleted`;
}

/**
 * How many messages of others a person has read, by the running numbers of the last one that they read. In a group, if
 * that is another's, their own last one before it is looked up.
 */
function othersRead(joined: RawBuilder<unknown>) {
  return sql`(
    select case when m.sender = i.uid then m.counted - m.own
                when m.conversation < 'g' then m.own
                else m.counted - coalesce((select o.own from read.messages o
                                            where o.conversation = m.conversation and o.conversation >= 'g'
                                              and o.sender = i.uid
                                              and o.sequence > ${joined} and o.sequence <= m.sequence
                                            order by o.sequence desc limit 1), 0) end
      from read.messages m
     where m.conversation = i.conversation and m.sequence = i.read_sequence)`;
}

/** What `message/unreadcount` answers; 0 if the person is no member. */
export async function countUnread(
  database: ReadDatabase,
  uid: Uid,
  conversation: ConversationId,
): Promise<number> {
  const group = conversationParties(conversation).type === 'group';
  const membership = sql`
      join read.group_members member on member.gid = i.party and member.uid = i.uid
      join read.groups g on g.gid = i.party and g.state = 'normal'`;
  const { rows } = await sql<UnreadNumbers>`
    select ${unreadNumbers(uid, group ? sql`member.joined_sequence` : sql`0`)}
      from read.inbox i
      left join read.conversations c on c.conversation = i.conversation
      ${group ? membership : sql``}
     where i.uid = ${uid} and i.conversation = ${conversation}`.execute(database);
  const [numbers] = rows;
  return numbers ? unreadCount(numbers) : 0;
}
