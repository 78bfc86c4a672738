import { type RawBuilder, sql } from 'kysely';
import type { ConversationId, Uid } from '../../contracts/ids.ts';
import { findReading } from './messages.ts';
import type { ReadDatabase } from './tables.ts';

/**
 * How many messages of others a person has not read, in a few index look-ups whatever the backlog:
 * the conversation's running number less the person's own, at its end less at the point up to which
 * they have read, without those that were revoked or deleted since (BEHAVIOUR, Messages).
 * The arguments are columns or values of the surrounding query; `c` there is read.conversations.
 */
export function unreadSince(
  uid: RawBuilder<unknown>,
  conversation: RawBuilder<unknown>,
  base: RawBuilder<unknown>,
) {
  return sql<number>`
    case when c.sequence <= ${base} then 0 else
      c.counted
      - case when ${base} = 0 then 0 else
          coalesce((select m.counted from read.messages m
                     where m.conversation = ${conversation} and m.sequence = ${base}), 0) end
      - coalesce((select s.own from read.senders s
                   where s.conversation = ${conversation} and s.uid = ${uid}), 0)
      + case when ${base} = 0 then 0 else
          coalesce((select m.own from read.messages m
                     where m.conversation = ${conversation} and m.sender = ${uid} and m.sequence <= ${base}
                     order by m.sequence desc limit 1), 0) end
      - case when c.dead_sequence <= ${base} then 0 else
          (select count(*) from read.messages m
            where m.conversation = ${conversation} and m.sequence > ${base} and m.state <> 'normal'
              and m.sub_type = 'message' and m.sender <> ${uid}) end
      - case when ${deletesAny(uid)} then
          (select count(*) from read.message_deletions d
             join read.messages m on m.conversation = d.conversation and m.sequence = d.sequence
            where d.uid = ${uid} and d.conversation = ${conversation} and d.sequence > ${base}
              and m.state = 'normal' and m.sub_type = 'message' and m.sender <> ${uid}) else 0 end
    end`;
}

/**
 * Whether a person has deleted any message for themselves. Where `uid` is a value, no column, Postgres
 * looks once for a whole list of chats, and most people need no look into each.
 */
export function deletesAny(uid: RawBuilder<unknown>) {
  return sql<boolean>`exists (select from read.message_deletions d where d.uid = ${uid})`;
}

/** What `message/unreadcount` answers; 0 for who is no member. */
export async function countUnread(
  database: ReadDatabase,
  uid: Uid,
  conversation: ConversationId,
): Promise<number> {
  const reading = await findReading(database, uid, conversation);
  if (!reading) return 0;
  const count = unreadSince(sql`${uid}::bigint`, sql`c.conversation`, sql`${reading.to}::bigint`);
  const { rows } = await sql<{ unread: number }>`
    select ${count} as unread from read.conversations c where c.conversation = ${conversation}`.execute(
    database,
  );
  return Math.max(reading.marked, rows[0]?.unread ?? 0);
}
