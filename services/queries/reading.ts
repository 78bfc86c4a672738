import { type ConversationId, conversationParties, type Uid } from '../../contracts/ids.ts';
import { readsGroupAfter } from '../domain/reading.ts';
import type { ReadDatabase } from './tables.ts';

/** Which part of a conversation a person may read, and how far they have read it. */
export interface Reading {
  /** They may read what is after this sequence. */
  readonly from: number;
  /** They have read up to this sequence; what they may not read counts as read. */
  readonly to: number;
  /** The least number of unread messages to show. */
  readonly marked: number;
}

/**
 * What `uid` may read: between two people everything, in a group what came after their latest joining.
 * Undefined if they are no member, or the group was dissolved.
 */
export async function findReading(
  database: ReadDatabase,
  uid: Uid,
  conversation: ConversationId,
): Promise<Reading | undefined> {
  const parties = conversationParties(conversation);
  const inbox = database
    .selectFrom('read.inbox')
    .select(['read_sequence', 'marked_unread'])
    .where('uid', '=', uid)
    .where('conversation', '=', conversation);
  if (parties.type === 'friend') {
    const row = await inbox.executeTakeFirst();
    return { from: 0, to: row?.read_sequence ?? 0, marked: row?.marked_unread ?? 0 };
  }
  const row = await database
    .selectFrom('read.groups as g')
    .leftJoin('read.group_members as m', (join) => join.onRef('m.gid', '=', 'g.gid').on('m.uid', '=', uid))
    .leftJoin('read.inbox as i', (join) =>
      join.onRef('i.uid', '=', 'm.uid').on('i.conversation', '=', conversation),
    )
    .select(['g.state', 'm.joined_sequence as joinedSequence', 'i.read_sequence', 'i.marked_unread'])
    .where('g.gid', '=', parties.gid)
    .executeTakeFirst();
  const from = readsGroupAfter(row);
  if (from === undefined || !row) return undefined;
  return { from, to: Math.max(from, row.read_sequence ?? 0), marked: row.marked_unread ?? 0 };
}
