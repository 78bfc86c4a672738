import { type RawBuilder, sql } from 'kysely';
import type { Uid } from '../../contracts/ids.ts';
import { isRevoked, type MessageState, revokedTexts } from '../../contracts/message-texts.ts';

/** Whether a person has deleted any message for themselves. Most have not, which saves a lookup for each message. */
export function deletesAny(uid: Uid) {
  return sql<boolean>`exists (select from read.message_deletions d where d.uid = ${uid})`;
}

/**
 * Whether a person has deleted a message for themselves.
 * @param conversation, sequence name the message in the surrounding query
 */
export function deletedFor(uid: Uid, conversation: RawBuilder<unknown>, sequence: RawBuilder<unknown>) {
  return sql<boolean>`(${deletesAny(uid)} and exists (
    select from read.message_deletions d
     where d.uid = ${uid} and d.conversation = ${conversation} and d.sequence = ${sequence}))`;
}

/** What a message shows: a revoked one is a notice that says so. */
export function shown(row: {
  readonly content: string;
  readonly sub_type: 'message' | 'notice';
  readonly state: MessageState;
}): { content: string; sub_type: 'message' | 'notice' } {
  return isRevoked(row.state)
    ? { content: revokedTexts[row.state], sub_type: 'notice' }
    : { content: row.content, sub_type: row.sub_type };
}
