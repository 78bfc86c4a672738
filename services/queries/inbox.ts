import type { ConversationId, Uid } from '../../contracts/ids.ts';
import type { ReadDatabase } from './tables.ts';

/** How a chat stands in a person's list; undefined where they have no such chat. */
export interface InboxEntry {
  readonly hidden: boolean;
  readonly pinned: boolean;
}

/** How a conversation stands in a person's list of chats. */
export async function findInboxEntry(
  database: ReadDatabase,
  uid: Uid,
  conversation: ConversationId,
): Promise<InboxEntry | undefined> {
  const row = await database
    .selectFrom('read.inbox as i')
    .leftJoin('read.conversations as c', 'c.conversation', 'i.conversation')
    .select(['i.hidden_sequence', 'i.pinned', 'c.last_message_sequence'])
    .where('i.uid', '=', uid)
    .where('i.conversation', '=', conversation)
    .executeTakeFirst();
  if (!row) return undefined;
  const { hidden_sequence: hidden, pinned } = row;
  return { hidden: hidden !== null && (row.last_message_sequence ?? 0) <= hidden, pinned };
}
