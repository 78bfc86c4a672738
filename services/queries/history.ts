import { sql } from 'kysely';
import { userAvatar } from '../../contracts/avatars.ts';
import type { Message } from '../../contracts/http/message.ts';
import { type ConversationId, conversationParties, type Mid, type Uid } from '../../contracts/ids.ts';
import { type MessageState, quotedContent } from '../../contracts/message-texts.ts';
import { deletedFor, shown } from './deletions.ts';
import type { ReadDatabase } from './tables.ts';

/** A message of a page, with its sequence. */
export interface PagedMessage {
  readonly sequence: number;
  readonly message: Message;
}

/** Which messages a page has: the newest `limit` between two sequences, oldest first. */
export interface Page {
  readonly reader: Uid;
  readonly conversation: ConversationId;
  readonly after: number;
  readonly before: number | null;
  readonly limit: number;
}

/**
 * A page of history as `message/get` shows it, without what was deleted for all or for the reader, and without quoted
 * messages that they may not read.
 */
export async function readPage(database: ReadDatabase, page: Page): Promise<PagedMessage[]> {
  const { reader, conversation, after, before, limit } = page;
  // The end of a page is always a condition on the index: `$1 is null or …` would scan everything after it.
  const group = conversationParties(conversation).type === 'group';
  const { rows } = await sql<{
    sequence: number;
    mid: Mid;
    sender: Uid;
    avatar: string | null;
    name: string | null;
    timestamp: number;
    content: string;
    sub_type: 'message' | 'notice';
    state: Exclude<MessageState, 'deleted'>;
    quote_mid: Mid | null;
    quote_state: MessageState | null;
    quote_content: string | null;
  }>`
    select m.sequence, m.mid, m.sender, u.avatar, coalesce(nullif(f.remark, ''), u.nickname) as name,
           m.timestamp, m.content, m.sub_type, m.state, m.quote_mid,
           q.state as quote_state, q.content as quote_content
      from (
        select m.sequence, m.mid, m.sender, m.timestamp, m.content, m.sub_type, m.state, m.quote_mid
          from read.messages m
         where m.conversation = ${conversation} and m.sequence > ${after}
           and m.sequence < ${before ?? Number.MAX_SAFE_INTEGER}
           and m.state <> 'deleted'
           and not ${deletedFor(reader, sql`m.conversation`, sql`m.sequence`)}
         order by m.sequence desc limit ${limit}
      ) m
      left join read.users u on u.uid = m.sender
      left join read.friendships f on f.uid = ${reader} and f.friend = m.sender
      left join read.messages q on q.mid = m.quote_mid and q.sequence > ${after}
     order by m.sequence`.execute(database);
  return rows.map(({ sequence, sender, name, ...row }) => ({
    sequence,
    message: {
      mid: row.mid,
      from: String(sender),
      avatar: userAvatar(row.avatar ?? ''),
      ...(group ? { name: name ?? '' } : {}),
      timestamp: row.timestamp,
      ...shown(row),
      quote_mid: row.quote_mid ?? 0,
      quote_content: row.quote_state ? quotedContent(row.quote_state, row.quote_content ?? '') : '',
    },
  }));
}
