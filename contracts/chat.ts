import { type ConversationId, friendConversation, type Gid, groupConversation, type Uid } from './ids.ts';

/** A chat as a person names it: the other person, or the group. */
export type Chat =
  | { readonly type: 'friend'; readonly id: Uid }
  | { readonly type: 'group'; readonly id: Gid };

/** The conversation behind a chat of `uid`. */
export function conversationOf(uid: Uid, chat: Chat): ConversationId {
  return chat.type === 'friend' ? friendConversation(uid, chat.id) : groupConversation(chat.id);
}
