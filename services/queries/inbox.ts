import { sql } from 'kysely';
import type { ConversationId, Uid } from '../../contracts/ids.ts';
import type { ReadDatabase } from './tables.ts';

/**
 * Whether a chat is in a person's list: not while it is hidden, until its next message. In the surrounding query `i` is
 * their read.inbox, `c` read.conversations.
 */
export const isListed = sql<boolean>`(i.hidden_sequence is null or c.last_message_sequence > i.hidden_sequence)`;

/** What a person has done to a chat of their list. */
export interface InboxEntry {
  readonly hidden: boolean;
  readonly pinned: boolean;
}

/** A conversation in a person's list of chats; undefined if it is not there. */
export async function findInboxEntry(
  database: ReadDatabase,
  uid: Uid,
  conversation: ConversationId,
): Promise<InboxEntry | undefined> {
  const row = await database
    .selectFrom('read.inbox as i')
    .leftJoin('read.conversations as c', 'c.conversation', 'i.conversation')
    .select(['i.pinned', isListed.as('listed')])
    .where('i.uid', '=', uid)
    .where('i.conversation', '=', conversation)
    .executeTakeFirst();
  return row && { hidden: !row.listed, pinned: row.pinned };
}
