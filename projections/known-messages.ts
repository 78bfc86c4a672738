import { type ConversationId, conversationParties, type Uid } from '../contracts/ids.ts';
import { openChat } from './inbox.ts';
import { endingWith, withOwn } from './messages.ts';
import { emptyConversation } from './newest-message.ts';
import type { Rows } from './store/row-store.ts';
import type { Ref } from './store/table.ts';
import { conversations, groupMembers, inbox, type MessageRow, messages } from './tables.ts';

/*
 * What messages do to the read models whose rows are known, as other read models of the same log have them: then not every
 * message need be applied. Of several that follow each other in a conversation, the last one decides what the conversation
 * shows, and the last one of a sender what the sender's chat counts.
 */

/** A message whose row is known, by what it is applied for. */
export type KnownMessage =
  /** As the last one of its conversation. `place`: the position of its event. */
  | { readonly as: 'end'; readonly message: MessageRow; readonly place: string }
  /** As the last one of its sender. */
  | { readonly as: 'own'; readonly message: MessageRow }
  /** Because the next event names it. */
  | { readonly as: 'named'; readonly message: MessageRow };

/** The rows that `applyKnown` reads. */
export function knownReads({ as, message }: KnownMessage): Ref[] {
  const { conversation, sender, sequence } = message;
  if (as === 'named') return [messages.at(conversation, sequence)];
  const parties = conversationParties(conversation);
  const own = [
    inbox.at(sender, conversation),
    ...(parties.type === 'group' ? [groupMembers.at(parties.gid, sender)] : []),
  ];
  if (as === 'own') return own;
  const chats = parties.type === 'group' ? [] : parties.uids.map((uid) => inbox.at(uid, conversation));
  return [conversations.at(conversation), ...own, ...chats];
}

/** Applies a message, unless a later one was applied for the same. */
export function applyKnown(rows: Rows, known: KnownMessage): void {
  const { message } = known;
  const { conversation, sequence, sender } = message;
  if (known.as === 'named') {
    // What was taken back of it is applied by the events that did so.
    if (!rows.get(messages.at(conversation, sequence))) rows.put(messages, { ...message, state: 'normal' });
    return;
  }
  if (known.as === 'end') {
    const before = rows.get(conversations.at(conversation)) ?? emptyConversation(conversation, known.place);
    if (before.sequence >= sequence) return;
    const parties = conversationParties(conversation);
    if (parties.type === 'friend') for (const uid of parties.uids) openChat(rows, uid, conversation);
    rows.put(conversations, endingWith(before, message, known.place));
  }
  const chat = rows.get(inbox.at(sender, conversation));
  if (!chat || chat.own_sequence >= sequence || sequence <= joined(rows, sender, conversation)) return;
  rows.put(inbox, withOwn(chat, message));
}

/** After which sequence a person has a chat: one who left a group and came back begins anew. */
function joined(rows: Rows, uid: Uid, conversation: ConversationId): number {
  const parties = conversationParties(conversation);
  if (parties.type === 'friend') return 0;
  return rows.get(groupMembers.at(parties.gid, uid))?.joined_sequence ?? 0;
}
