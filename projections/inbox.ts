import type { InboxEvent } from '../contracts/events/inbox.ts';
import { type ConversationId, conversationParties, otherOf, type Uid } from '../contracts/ids.ts';
import { userChannel } from '../contracts/push/index.ts';
import type { ProjectionsOf } from './projection.ts';
import type { Rows } from './store/row-store.ts';
import {
  announcementsSeen,
  type ConversationRow,
  conversations,
  type InboxRow,
  inbox,
  type MessageRow,
  messages,
} from './tables.ts';

/** A chat that its owner has not changed yet. */
function freshChat(uid: Uid, conversation: ConversationId): InboxRow {
  const parties = conversationParties(conversation);
  return {
    party: parties.type === 'group' ? parties.gid : otherOf(parties.uids, uid),
    ...{ uid, conversation, read_sequence: 0, read_others: 0, own: 0, own_sequence: 0 },
    ...{ hidden_sequence: null, pinned: false, marked_unread: 0 },
  };
}

/** Adds a chat to someone's list if it is not there. Reads inbox.at(uid, conversation). */
export function openChat(rows: Rows, uid: Uid, conversation: ConversationId): void {
  if (!rows.get(inbox.at(uid, conversation))) rows.put(inbox, freshChat(uid, conversation));
}

/** The end of a conversation. */
type End = Pick<ConversationRow, 'sequence' | 'counted' | 'last_message_sequence'>;

/** Of a conversation without messages. */
const emptyEnd: End = { sequence: 0, counted: 0, last_message_sequence: 0 };

/** Reads conversations.at(conversation). */
export function endOf(rows: Rows, conversation: ConversationId): End {
  return rows.get(conversations.at(conversation)) ?? emptyEnd;
}

/** Adds a group's chat to the list of a new member, read up to its end. */
export function joinChat(rows: Rows, uid: Uid, conversation: ConversationId, end: End): void {
  const { sequence, counted } = end;
  rows.put(inbox, { ...freshChat(uid, conversation), read_sequence: sequence, read_others: counted });
}

/** How many messages of others there are up to a message; null if its row and the chat do not say. */
function othersUpTo(chat: InboxRow, message: MessageRow | undefined, among: 'friend' | 'group') {
  if (!message) return null;
  if (chat.own_sequence <= message.sequence) return message.counted - chat.own;
  if (message.sender === chat.uid) return message.counted - message.own;
  // Between two people, what one did not write the other did.
  return among === 'friend' ? message.own : null;
}

/**
 * Hides a chat from someone's list until the next message, and marks it as read.
 * Reads inbox.at(uid, conversation) and conversations.at(conversation).
 */
export function hideChat(rows: Rows, uid: Uid, conversation: ConversationId): void {
  const chat = rows.get(inbox.at(uid, conversation));
  if (!chat) return;
  const { sequence, counted, last_message_sequence } = endOf(rows, conversation);
  rows.put(inbox, {
    ...chat,
    read_sequence: sequence,
    read_others: counted - chat.own,
    hidden_sequence: last_message_sequence,
    marked_unread: 0,
  });
}

type OfChat = { readonly data: { readonly uid: Uid; readonly conversation: ConversationId } };

const reads = ({ data: { uid, conversation } }: OfChat) => [inbox.at(uid, conversation)];
const readsConversation = (event: OfChat) => [...reads(event), conversations.at(event.data.conversation)];

/**
 * Changes a chat. One between two people is made, hidden, if it is not there yet. A group's chat comes and goes with
 * the membership, so others have none to change.
 */
function change(rows: Rows, { data: { uid, conversation } }: OfChat, changes: Partial<InboxRow>): void {
  const chat = rows.get(inbox.at(uid, conversation));
  if (!chat && conversationParties(conversation).type === 'group') return;
  rows.put(inbox, { ...(chat ?? { ...freshChat(uid, conversation), hidden_sequence: 0 }), ...changes });
}

/** Lists of chats: read, hidden, pinned. */
export const inboxProjections: ProjectionsOf<InboxEvent> = {
  ReadTo: {
    reads: (event) => [...reads(event), messages.at(event.data.conversation, event.data.sequence)],
    apply({ data: { uid, conversation, mid, sequence } }, rows, pushes) {
      const chat = rows.get(inbox.at(uid, conversation));
      if (!chat) return;
      const advances = sequence > chat.read_sequence;
      if (!advances && chat.marked_unread === 0) return;
      const parties = conversationParties(conversation);
      const message = rows.get(messages.at(conversation, sequence));
      const read = { read_sequence: sequence, read_others: othersUpTo(chat, message, parties.type) };
      rows.put(inbox, { ...chat, ...(advances ? read : {}), marked_unread: 0 });
      if (parties.type === 'group') {
        pushes.add(userChannel(uid), 'read', { type: 'group', id: parties.gid, mid, uid });
        return;
      }
      const other = otherOf(parties.uids, uid);
      pushes.add(userChannel(uid), 'read', { type: 'friend', id: other, mid, uid });
      // That an unread mark was removed does not concern the other side.
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
  AnnouncementsSeen: {
    reads: ({ data: { uid } }) => [announcementsSeen.at(uid)],
    apply({ data: { uid, id } }, rows) {
      const seen = rows.get(announcementsSeen.at(uid))?.seen ?? 0;
      if (id > seen) rows.put(announcementsSeen, { uid, seen: id });
    },
  },
  ChatUnpinned: {
    reads,
    apply(event, rows) {
      change(rows, event, { pinned: false });
    },
  },
};
