import { type RawBuilder, sql } from 'kysely';
import { type ConversationId, conversationParties, type Uid } from '../../contracts/ids.ts';
import { deletesAny } from './messages.ts';
import type { ReadDatabase } from './tables.ts';

/**
 * How many messages of others a person has not read: those of the conversation less their own, less
 * what they have read, less those that were revoked or deleted since (docs/behaviour.md, Messages). A few
 * numbers of two rows, but for what is rare; never in proportion to the backlog.
 * In the surrounding query `i` is their read.inbox and `c` read.conversations.
 * @param joined after which sequence they may read, in the surrounding query
 */
export function unreadOf(uid: Uid, joined: RawBuilder<unknown>) {
  return sql<number>`
    case when c.sequence <= i.read_sequence then 0 else
      c.counted - i.own - coalesce(i.read_others, ${othersRead(joined)}, 0)
      - case when c.dead_sequence <= i.read_sequence then 0 else
          (select count(*) from read.messages m
            where m.conversation = i.conversation and m.sequence > i.read_sequence and m.state <> 'normal'
              and m.sub_type = 'message' and m.sender <> i.uid) end
      - case when ${deletesAny(uid)} then
          (select count(*) from read.message_deletions d
             join read.messages m on m.conversation = d.conversation and m.sequence = d.sequence
            where d.uid = i.uid and d.conversation = i.conversation and d.sequence > i.read_sequence
              and m.state = 'normal' and m.sub_type = 'message' and m.sender <> i.uid) else 0 end
    end`;
}

/** How many messages of others lie up to where a person has read, by the running numbers there. */
function othersRead(joined: RawBuilder<unknown>) {
  return sql`(
    select m.counted - coalesce((select o.own from read.messages o
                                  where o.conversation = m.conversation and o.sender = i.uid
                                    and o.sequence > ${joined} and o.sequence <= m.sequence
                                  order by o.sequence desc limit 1), 0)
      from read.messages m
     where m.conversation = i.conversation and m.sequence = i.read_sequence)`;
}

/** What `message/unreadcount` answers; 0 for who is no member. */
export async function countUnread(
  database: ReadDatabase,
  uid: Uid,
  conversation: ConversationId,
): Promise<number> {
  const group = conversationParties(conversation).type === 'group';
  const membership = sql`
      join read.group_members member on member.gid = i.party and member.uid = i.uid
      join read.groups g on g.gid = i.party and g.state = 'normal'`;
  const { rows } = await sql<{ unread: number }>`
    select greatest(${unreadOf(uid, group ? sql`member.joined_sequence` : sql`0`)}, i.marked_unread) as unread
      from read.inbox i
      left join read.conversations c on c.conversation = i.conversation
      ${group ? membership : sql``}
     where i.uid = ${uid} and i.conversation = ${conversation}`.execute(database);
  return rows[0]?.unread ?? 0;
}
