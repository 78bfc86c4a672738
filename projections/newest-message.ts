import type { ConversationId } from '../contracts/ids.ts';
import { isRevoked, type TakenBack } from '../contracts/message-texts.ts';
import type { ConversationRow, MessageRow } from './tables.ts';

/** The part of a conversation's row that repeats its newest message, so that a list of chats need not look it up. */
export type NewestMessage = Pick<
  ConversationRow,
  'newest_mid' | 'newest_sender' | 'newest_content' | 'newest_timestamp' | 'newest_sub_type' | 'newest_state'
>;

const none: NewestMessage = {
  newest_mid: null,
  newest_sender: null,
  newest_content: null,
  newest_timestamp: null,
  newest_sub_type: null,
  newest_state: null,
};

/** In characters. Longer contents are kept with the message only: many conversations' rows stay in memory. */
const maxContentLength = 500;

/** A conversation without messages. */
export function emptyConversation(conversation: ConversationId, place: string): ConversationRow {
  return {
    conversation,
    sequence: 0,
    counted: 0,
    last_message_sequence: 0,
    dead_sequence: 0,
    last_place: place,
    ...none,
  };
}

/** What a conversation keeps of its newest message. */
export function newestMessage({ mid, sender, content, timestamp, sub_type }: MessageRow): NewestMessage {
  if (content.length > maxContentLength) return none;
  return {
    newest_mid: mid,
    newest_sender: sender,
    newest_content: content,
    newest_timestamp: timestamp,
    newest_sub_type: sub_type,
    newest_state: 'normal',
  };
}

/** What changes in it when that message is revoked or deleted. */
export function newestTakenBack(state: TakenBack): Partial<NewestMessage> {
  return isRevoked(state) ? { newest_state: state } : none;
}
