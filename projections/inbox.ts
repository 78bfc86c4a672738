import type { InboxEvent } from '../contracts/events/inbox.ts';
import { type ConversationId, conversationParties, type Uid } from '../contracts/ids.ts';
import { userChannel } from '../contracts/push/index.ts';
import type { ProjectionsOf } from './projection.ts';
import type { Rows } from './store/row-store.ts';
import { conversations, type InboxRow, inbox } from './tables.ts';

/** A chat as it stands in a list where nothing was ever done to it. */
function freshChat(uid: Uid, conversation: ConversationId): InboxRow {
  return { uid, conversation, read_sequence: 0, hidden_sequence: null, pinned: false, marked_unread: 0 };
}

/** Puts a chat into someone's list where it is not known there. Reads inbox.at(uid, conversation). */
export function openChat(rows: Rows, uid: Uid, conversation: ConversationId): void {
  if (!rows.get(inbox.at(uid, conversation))) rows.put(inbox, freshChat(uid, conversation));
}

/** Puts a group's chat into the list of one who joins where `sequence` is the last, read up to there. */
export function joinChat(rows: Rows, uid: Uid, conversation: ConversationId, sequence: number): void {
  rows.put(inbox, { ...freshChat(uid, conversation), read_sequence: sequence });
}

/**
 * Takes a chat out of someone's list until the next message, with all of it read.
 * Reads inbox.at(uid, conversation) and conversations.at(conversation).
 */
export function hideChat(rows: Rows, uid: Uid, conversation: ConversationId): void {
  const chat = rows.get(inbox.at(uid, conversation));
  if (!chat) return;
  const { sequence, last_message_sequence } = rows.get(conversations.at(conversation)) ?? {
    sequence: 0,
    last_message_sequence: 0,
  };
  rows.put(inbox, {
    ...chat,
    read_sequence: Math.max(chat.read_sequence, sequence),
    hidden_sequence: last_message_sequence,
    marked_unread: 0,
  });
}

type OfChat = { readonly data: { readonly uid: Uid; readonly conversation: ConversationId } };

const reads = ({ data: { uid, conversation } }: OfChat) => [inbox.at(uid, conversation)];
const readsConversation = (event: OfChat) => [...reads(event), conversations.at(event.data.conversation)];

/**
 * Changes a chat. One between two that is not there yet is made, out of sight; a group's chat
 * is its members' alone, and comes and goes with the membership.
 */
function change(rows: Rows, { data: { uid, conversation } }: OfChat, changes: Partial<InboxRow>): void {
  const chat = rows.get(inbox.at(uid, conversation));
  if (!chat && conversationParties(conversation).type === 'group') return;
  rows.put(inbox, { ...(chat ?? { ...freshChat(uid, conversation), hidden_sequence: 0 }), ...changes });
}

/** Lists of chats: what is read, hidden, pinned. */
export const inboxProjections: ProjectionsOf<InboxEvent> = {
  ReadTo: {
    reads,
    apply({ data: { uid, conversation, mid, sequence } }, rows, pushes) {
      const chat = rows.get(inbox.at(uid, conversation));
      if (!chat) return;
      const advances = sequence > chat.read_sequence;
      if (!advances && chat.marked_unread === 0) return;
      rows.put(inbox, {
        ...chat,
        read_sequence: Math.max(chat.read_sequence, sequence),
        marked_unread: 0,
      });
      const parties = conversationParties(conversation);
      if (parties.type === 'group') {
        pushes.add(userChannel(uid), 'read', { type: 'group', id: parties.gid, mid, uid });
        return;
      }
      const other = parties.uids[0] === uid ? parties.uids[1] : parties.uids[0];
      pushes.add(userChannel(uid), 'read', { type: 'friend', id: other, mid, uid });
      // That an unread mark was taken off is nothing to the other side.
      if (advances) pushes.add(userChannel(other), 'read', { type: 'friend', id: uid, mid, uid });
    },
  },
  UnreadMarked: {
    reads,
    apply(event, rows) {
      change(rows, event, { marked_unread: event.data.count });
    },
  },
  ChatHidden: {
    reads: readsConversation,
    apply({ data: { uid, conversation } }, rows) {
      hideChat(rows, uid, conversation);
    },
  },
  ChatShown: {
    reads,
    apply(event, rows) {
      change(rows, event, { hidden_sequence: null });
    },
  },
  ChatPinned: {
    reads,
    apply(event, rows) {
      change(rows, event, { pinned: true });
    },
  },
  ChatUnpinned: {
    reads,
    apply(event, rows) {
      change(rows, event, { pinned: false });
    },
  },
};
