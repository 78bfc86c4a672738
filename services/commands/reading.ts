import { type Chat, conversationOf } from '../../contracts/chat.ts';
import { Refusal } from '../../contracts/codes.ts';
import type { InboxEvent } from '../../contracts/events/inbox.ts';
import type { Message } from '../../contracts/http/message.ts';
import { type ConversationId, Mid, type Uid } from '../../contracts/ids.ts';
import { groupStream } from '../domain/group.ts';
import { inboxStream } from '../domain/inbox.ts';
import { type Position, startOfLog } from '../log/log.ts';
import { type Page, type PagedMessage, readPage } from '../queries/history.ts';
import { findMessage, lastMessage } from '../queries/messages.ts';
import { findReading, type Reading } from '../queries/reading.ts';
import type { ReadDatabase } from '../queries/tables.ts';
import type { AggregateStore } from './aggregate-store.ts';
import type { CommandContext } from './context.ts';
import { appendAny } from './execute.ts';
import type { CommandParts } from './parts.ts';

type Parts = Pick<CommandParts, 'log' | 'database'>;

/** Up to where a conversation is read. */
interface UpTo {
  readonly message?: { readonly mid: Mid; readonly sequence: number };
  /** In seconds since 1970. */
  readonly until?: number;
}

/**
 * A page of a chat's messages. The newest page also marks the chat as read. A chat that the reader takes no part
 * in is empty.
 * @param before the message that the page ends before; undefined: the newest page
 * @returns the page, and the position that shows it as read
 * @throws Refusal noMessage if `before` is not in the chat
 */
export async function readMessages(
  parts: Parts & Pick<CommandParts, 'store'>,
  { reader, chat, limit, before }: { reader: Uid; chat: Chat; limit: number; before: Mid | undefined },
  context: CommandContext,
): Promise<{ messages: Message[]; position: Position }> {
  const { database } = parts;
  const conversation = conversationOf(reader, chat);
  const reading = (await takesPart(parts.store, reader, chat))
    ? await findReading(database, reader, conversation)
    : undefined;
  if (!reading) return { messages: [], position: startOfLog };
  if (before === undefined) {
    const { page, position } = await readNewest(parts, { reader, conversation, limit }, reading, context);
    return { messages: page.map(({ message }) => message), position };
  }
  const end = await findMessage(database, conversation, before);
  if (!end) throw new Refusal('noMessage');
  const between = { after: reading.from, before: end.sequence };
  const page = await readPage(database, { reader, conversation, ...between, limit });
  return { messages: page.map(({ message }) => message), position: startOfLog };
}

/**
 * Marks a whole chat as read; nothing, if the reader takes no part in it.
 * @returns the position that shows it; the log's beginning if nothing was appended
 */
export async function markChatRead(
  parts: Parts & Pick<CommandParts, 'store'>,
  uid: Uid,
  chat: Chat,
  context: CommandContext,
): Promise<Position> {
  if (!(await takesPart(parts.store, uid, chat))) return startOfLog;
  return markRead(parts, uid, conversationOf(uid, chat), {}, context);
}

/**
 * Whether a person takes part in a chat: anyone in one with another person, only members in a group's. A page
 * that is open on a group when its user is removed goes on asking, and would show that user each refusal.
 */
async function takesPart(store: AggregateStore, uid: Uid, chat: Chat): Promise<boolean> {
  if (chat.type === 'friend') return true;
  const { state } = await store.load(groupStream(chat.id));
  return state !== null && !state.dissolved && state.members.has(uid);
}

/**
 * Marks a conversation as read, up to a message or up to its end.
 * @returns the position that includes it; the start of the log if it was read already
 */
export async function markRead(
  { log, database }: Parts,
  uid: Uid,
  conversation: ConversationId,
  upTo: Pick<UpTo, 'message'>,
  context: CommandContext,
): Promise<Position> {
  return appendAny(log, inboxStream(uid), await readingEvents(database, uid, conversation, upTo), context);
}

/**
 * The last messages of a conversation for a reader, which marks it as read.
 * @param reading the range that the reader may read, and how far they have read it
 * @returns the page, and the position that includes the reading
 */
export async function readNewest(
  parts: Parts,
  { reader, conversation, limit }: Pick<Page, 'reader' | 'conversation' | 'limit'>,
  reading: Reading,
  context: CommandContext,
): Promise<{ page: PagedMessage[]; position: Position }> {
  const { database } = parts;
  // An unread mark is removed even if the page is empty. Read before the page, since later messages are not in it.
  const end = reading.marked > 0 ? await lastMessage(database, conversation) : undefined;
  const page = await readPage(database, { reader, conversation, after: reading.from, before: null, limit });
  const newest = page.at(-1);
  const message = newest ? { mid: Mid.parse(newest.message.mid), sequence: newest.sequence } : end;
  if (!message) return { page, position: startOfLog };
  return { page, position: await markRead(parts, reader, conversation, { message }, context) };
}

/** The event of a reading, unless it changes nothing: a reading never goes back. */
export async function readingEvents(
  database: ReadDatabase,
  uid: Uid,
  conversation: ConversationId,
  upTo: UpTo,
): Promise<InboxEvent[]> {
  const [read, last] = await Promise.all([
    findReading(database, uid, conversation),
    upTo.message ?? lastMessage(database, conversation, upTo.until),
  ]);
  if (!read || !last) return [];
  if (last.sequence <= read.to && read.marked === 0) return [];
  // Up to a time that was read before, it removes no unread mark.
  if (upTo.until !== undefined && last.sequence < read.to) return [];
  return [{ type: 'ReadTo', data: { uid, conversation, mid: last.mid, sequence: last.sequence } }];
}
