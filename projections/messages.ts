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
import type { MessagePush } from '../contracts/push/message.ts';
import { openChat } from './inbox.ts';
import type { Pushes } from './projection.ts';
import type { Rows } from './store/row-store.ts';
import type { Ref } from './store/table.ts';
import {
  type ConversationRow,
  conversations,
  friendships,
  groups,
  inbox,
  type MessageRow,
  messageOf,
  messages,
  users,
} from './tables.ts';

/** A message that takes its place in a conversation: what the event says of it. */
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
  /** Where the event lies in the log. */
  readonly place: string;
};

/** What an arrival has that nobody wrote or that answers nothing. */
export const plain = { quote_mid: null, mentions: null, unique_id: null, content_hash: null } as const;

/** A conversation in which nothing was said yet. */
export function emptyConversation(conversation: ConversationId, place: string): ConversationRow {
  return {
    conversation,
    sequence: 0,
    counted: 0,
    last_message_sequence: 0,
    dead_sequence: 0,
    last_place: place,
    ...nothingNewest,
  };
}

type Newest = Pick<
  ConversationRow,
  'newest_mid' | 'newest_sender' | 'newest_content' | 'newest_timestamp' | 'newest_sub_type' | 'newest_state'
>;

/** What a conversation keeps of its newest message where it keeps nothing. */
const nothingNewest: Newest = {
  newest_mid: null,
  newest_sender: null,
  newest_content: null,
  newest_timestamp: null,
  newest_sub_type: null,
  newest_state: null,
};

/** Longer contents are kept with the message alone: many conversations' rows stay in memory. */
const longestKept = 500;

/** What a conversation keeps of its newest message. */
function newest({ mid, sender, content, timestamp, sub_type }: MessageRow): Newest {
  if (content.length > longestKept) return nothingNewest;
  return {
    newest_mid: mid,
    newest_sender: sender,
    newest_content: content,
    newest_timestamp: timestamp,
    newest_sub_type: sub_type,
    newest_state: 'normal',
  };
}

/** What it keeps of it once that was revoked or deleted. */
export function newestTaken(state: 'revoked' | 'deleted'): Partial<Newest> {
  return state === 'revoked' ? { newest_state: state } : nothingNewest;
}

/** Gives an arrival the conversation's next sequence, and counts it where it is no notice. */
function place(rows: Rows, conversation: ConversationId, sender: Uid, { place, ...arrival }: Arrival): void {
  const before = rows.get(conversations.at(conversation)) ?? emptyConversation(conversation, place);
  const chat = rows.get(inbox.at(sender, conversation));
  const counts = arrival.sub_type === 'message' ? 1 : 0;
  const sequence = before.sequence + 1;
  const counted = before.counted + counts;
  const own = (chat?.own ?? 0) + counts;
  const message: MessageRow = {
    ...{ conversation, sequence, sender, ...arrival },
    ...{ state: 'normal', counted, own },
  };
  rows.put(messages, message);
  rows.put(conversations, {
    ...before,
    sequence,
    counted,
    last_message_sequence: counts ? sequence : before.last_message_sequence,
    last_place: place,
    ...newest(message),
  });
  if (chat && counts) rows.put(inbox, { ...chat, own, own_sequence: sequence });
}

function placeReads(conversation: ConversationId, sender: Uid, quoteMid: Mid | undefined): Ref[] {
  const refs: Ref[] = [conversations.at(conversation), inbox.at(sender, conversation)];
  if (quoteMid) refs.push(messageOf(quoteMid));
  return refs;
}

/** What `sendToFriend` reads. */
export function friendMessageReads(from: Uid, to: Uid, quoteMid?: Mid): Ref[] {
  const conversation = friendConversation(from, to);
  return [
    ...placeReads(conversation, from, quoteMid),
    users.at(from),
    users.at(to),
    friendships.at(from, to),
    friendships.at(to, from),
    inbox.at(to, conversation),
  ];
}

/** A message between two: it stands in their conversation, in both lists, and both hear it. */
export function sendToFriend(rows: Rows, pushes: Pushes, from: Uid, to: Uid, arrival: Arrival): void {
  const conversation = friendConversation(from, to);
  const payload = {
    from: String(from),
    from_name: rows.get(users.at(from))?.nickname ?? '',
    from_avatar: userAvatar(rows.get(users.at(from))?.avatar ?? ''),
    to: String(to),
    to_name: rows.get(users.at(to))?.nickname ?? '',
    to_avatar: userAvatar(rows.get(users.at(to))?.avatar ?? ''),
    ...content(rows, conversation, 'friend', arrival),
  };
  pushes.add(userChannel(to), 'message', {
    ...payload,
    from_name: rows.get(friendships.at(to, from))?.remark || payload.from_name,
  });
  pushes.add(userChannel(from), 'message', {
    ...payload,
    to_name: rows.get(friendships.at(from, to))?.remark || payload.to_name,
  });
  openChat(rows, from, conversation);
  openChat(rows, to, conversation);
  place(rows, conversation, from, arrival);
}

/** What `sendToGroup` reads. */
export function groupMessageReads(from: Uid, gid: Gid, quoteMid?: Mid): Ref[] {
  return [...placeReads(groupConversation(gid), from, quoteMid), users.at(from), groups.at(gid)];
}

/**
 * A message or notice in a group: one row and one push, however many members hear it.
 * @param newcomers who do not listen to the group's channel yet, and hear it on their own as well
 */
export function sendToGroup(
  rows: Rows,
  pushes: Pushes,
  from: Uid,
  gid: Gid,
  arrival: Arrival,
  newcomers: readonly Uid[] = [],
): void {
  const conversation = groupConversation(gid);
  const group = rows.get(groups.at(gid));
  const payload = {
    from: String(from),
    from_name: rows.get(users.at(from))?.nickname ?? '',
    from_avatar: userAvatar(rows.get(users.at(from))?.avatar ?? ''),
    to: String(gid),
    to_name: group?.name ?? '',
    to_avatar: groupAvatar(group?.avatar ?? null, group?.faces ?? []),
    ...content(rows, conversation, 'group', arrival),
  };
  for (const uid of newcomers) pushes.add(userChannel(uid), 'message', payload);
  pushes.add(groupChannel(gid), 'message', payload);
  place(rows, conversation, from, arrival);
}

function content(
  rows: Rows,
  conversation: ConversationId,
  type: 'friend' | 'group',
  { content, timestamp, sub_type, mid, quote_mid, unique_id }: Arrival,
): Omit<MessagePush, 'from' | 'from_name' | 'from_avatar' | 'to' | 'to_name' | 'to_avatar'> {
  return {
    content,
    timestamp,
    type,
    sub_type,
    mid,
    ...(quote_mid === null ? {} : { quote_mid, quote_content: quoted(rows, conversation, quote_mid) }),
    ...(unique_id === null ? {} : { uniqueId: unique_id }),
  };
}

function quoted(rows: Rows, conversation: ConversationId, mid: Mid): string {
  const [message] = rows.list(messageOf(mid));
  return message?.conversation === conversation ? quotedContent(message.state, message.content) : '';
}
