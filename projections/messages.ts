import { groupAvatar, userAvatar } from '../contracts/avatars.ts';
import {
  type ConversationId,
  friendConversation,
  type Gid,
  groupConversation,
  type Mid,
  type Uid,
} from '../contracts/ids.ts';
import { quotedContent } from '../contracts/message-texts.ts';
import { groupChannel, userChannel } from '../contracts/push/index.ts';
import { messagePush, type PushedParty } from '../contracts/push/message.ts';
import { openChat } from './inbox.ts';
import { emptyConversation, newestMessage } from './newest-message.ts';
import type { Pushes } from './projection.ts';
import type { Rows } from './store/row-store.ts';
import type { Ref } from './store/table.ts';
import {
  type ConversationRow,
  conversations,
  friendships,
  groups,
  type InboxRow,
  inbox,
  type MessageRow,
  messageOf,
  messages,
  users,
} from './tables.ts';

/** What an event says of the message or notice that it adds to a conversation. */
export type Arrival = Pick<
  MessageRow,
  | 'mid'
  | 'event_id'
  | 'content'
  | 'timestamp'
  | 'sub_type'
  | 'quote_mid'
  | 'mentions'
  | 'unique_id'
  | 'content_hash'
> & {
  /** The event's position in the log. */
  readonly place: string;
};

/** An arrival that quotes and mentions nobody and that no client numbered. */
export const plain = { quote_mid: null, mentions: null, unique_id: null, content_hash: null } as const;

/**
 * Writes an arrival's row under the conversation's next sequence, and counts it unless it is a notice. Its objects are
 * written out: to gather them from parts takes a tenth of what a history takes.
 */
function append(rows: Rows, conversation: ConversationId, sender: Uid, arrival: Arrival): void {
  const { place, mid, event_id, content, timestamp, sub_type } = arrival;
  const { quote_mid, mentions, unique_id, content_hash } = arrival;
  const before = rows.get(conversations.at(conversation)) ?? emptyConversation(conversation, place);
  const chat = rows.get(inbox.at(sender, conversation));
  const counts = sub_type === 'message' ? 1 : 0;
  const sequence = before.sequence + 1;
  const counted = before.counted + counts;
  const own = (chat?.own ?? 0) + counts;
  const message: MessageRow = {
    conversation,
    sequence,
    mid,
    event_id,
    sender,
    content,
    timestamp,
    sub_type,
    state: 'normal',
    quote_mid,
    mentions,
    unique_id,
    content_hash,
    counted,
    own,
  };
  rows.put(messages, message);
  rows.put(conversations, endingWith(before, message, place));
  if (chat && counts) rows.put(inbox, withOwn(chat, message));
}

/** A conversation once a message has arrived. @param place the position of its event */
export function endingWith(before: ConversationRow, message: MessageRow, place: string): ConversationRow {
  const { conversation, sequence, counted, sub_type } = message;
  return {
    ...newestMessage(message),
    conversation,
    sequence,
    counted,
    last_message_sequence: sub_type === 'message' ? sequence : before.last_message_sequence,
    dead_sequence: before.dead_sequence,
    last_place: place,
  };
}

/** The chat of its sender once a message, which is no notice, has arrived. */
export function withOwn(chat: InboxRow, { own, sequence }: MessageRow): InboxRow {
  return { ...chat, own, own_sequence: sequence };
}

/** What `sendToFriend` reads. */
export function friendMessageReads(from: Uid, to: Uid): Ref[] {
  const conversation = friendConversation(from, to);
  return [conversations.at(conversation), inbox.at(from, conversation), inbox.at(to, conversation)];
}

/** What `sendToFriend` reads besides for its pushes. */
export function friendMessagePushReads(from: Uid, to: Uid, quoteMid?: Mid): Ref[] {
  return [
    ...quoteReads(quoteMid),
    users.at(from),
    users.at(to),
    friendships.at(from, to),
    friendships.at(to, from),
  ];
}

function quoteReads(quoteMid: Mid | undefined): Ref[] {
  return quoteMid === undefined ? [] : [messageOf(quoteMid)];
}

/** Adds a message between two people to their conversation and to both lists of chats, and pushes it to both. */
export function sendToFriend(rows: Rows, pushes: Pushes, from: Uid, to: Uid, arrival: Arrival): void {
  const conversation = friendConversation(from, to);
  if (pushes.wanted) pushToFriend(rows, pushes, from, to, arrival);
  openChat(rows, from, conversation);
  openChat(rows, to, conversation);
  append(rows, conversation, from, arrival);
}

function pushToFriend(rows: Rows, pushes: Pushes, from: Uid, to: Uid, arrival: Arrival): void {
  const conversation = friendConversation(from, to);
  const [sender, addressee] = [person(rows, from), person(rows, to)];
  const payload = messagePush('friend', sender, addressee, arrival, quoted(rows, conversation, arrival));
  const from_name = rows.get(friendships.at(to, from))?.remark || sender.name;
  const to_name = rows.get(friendships.at(from, to))?.remark || addressee.name;
  pushes.addMessage(conversation, [
    { channel: userChannel(to), data: { ...payload, from_name } },
    { channel: userChannel(from), data: { ...payload, to_name } },
  ]);
}

/** What `sendToGroup` reads. */
export function groupMessageReads(from: Uid, gid: Gid): Ref[] {
  const conversation = groupConversation(gid);
  return [conversations.at(conversation), inbox.at(from, conversation)];
}

/** What `sendToGroup` reads besides for its pushes. */
export function groupMessagePushReads(from: Uid, gid: Gid, quoteMid?: Mid): Ref[] {
  return [...quoteReads(quoteMid), users.at(from), groups.at(gid)];
}

/**
 * Adds a message or notice to a group's conversation: one row and one push, whatever the number of members.
 * @param newcomers also get it on their own channels, as they do not listen to the group's yet
 */
export function sendToGroup(
  rows: Rows,
  pushes: Pushes,
  from: Uid,
  gid: Gid,
  arrival: Arrival,
  newcomers: readonly Uid[] = [],
): void {
  if (pushes.wanted) pushToGroup(rows, pushes, from, gid, arrival, newcomers);
  append(rows, groupConversation(gid), from, arrival);
}

function pushToGroup(
  rows: Rows,
  pushes: Pushes,
  from: Uid,
  gid: Gid,
  arrival: Arrival,
  newcomers: readonly Uid[],
): void {
  const conversation = groupConversation(gid);
  const group = rows.get(groups.at(gid));
  const addressee = {
    id: gid,
    name: group?.name ?? '',
    avatar: groupAvatar(group?.avatar ?? null, group?.faces ?? []),
  };
  const payload = messagePush(
    'group',
    person(rows, from),
    addressee,
    arrival,
    quoted(rows, conversation, arrival),
  );
  for (const uid of newcomers) pushes.add(userChannel(uid), 'message', payload);
  pushes.addMessage(conversation, [{ channel: groupChannel(gid), data: payload }]);
}

function person(rows: Rows, uid: Uid): PushedParty {
  const user = rows.get(users.at(uid));
  return { id: uid, name: user?.nickname ?? '', avatar: userAvatar(user?.avatar ?? '') };
}

function quoted(rows: Rows, conversation: ConversationId, { quote_mid }: Arrival): string {
  if (quote_mid === null) return '';
  const [message] = rows.list(messageOf(quote_mid));
  return message?.conversation === conversation ? quotedContent(message.state, message.content) : '';
}
