import type { ConversationId, Uid } from '../../contracts/ids.ts';
import type { ReadDatabase } from './tables.ts';

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
    .select(['i.hidden_sequence', 'i.pinned', 'c.last_message_sequence'])
    .where('i.uid', '=', uid)
    .where('i.conversation', '=', conversation)
    .executeTakeFirst();
  if (!row) return undefined;
  const { hidden_sequence: hidden, pinned } = row;
  return { hidden: hidden !== null && (row.last_message_sequence ?? 0) <= hidden, pinned };
}
