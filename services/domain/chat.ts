import {
  type ConversationId,
  friendConversation,
  type Gid,
  groupConversation,
  type Mid,
  type Uid,
} from '../../contracts/ids.ts';
import type { Position, StreamName } from '../log/log.ts';
import { streamName } from './aggregate.ts';

/** A chat as one of its people names it: another person, or a group. */
export type Chat =
  | { readonly type: 'friend'; readonly id: Uid }
  | { readonly type: 'group'; readonly id: Gid };

/** The conversation behind a chat of `uid`. */
export function conversationOf(uid: Uid, chat: Chat): ConversationId {
  return chat.type === 'friend' ? friendConversation(uid, chat.id) : groupConversation(chat.id);
}

/** The stream `inbox-{uid}`: a person's list of chats. */
export function inboxStream(uid: Uid): StreamName {
  return streamName(`inbox-${uid}`);
}

/** A message that is in the log under an event id. */
export interface StoredMessage {
  readonly mid: Mid;
  readonly contentHash: string | undefined;
  readonly position: Position;
}
