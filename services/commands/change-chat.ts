import { Refusal } from '../../contracts/codes.ts';
import type { InboxEvent } from '../../contracts/events/inbox.ts';
import { type ConversationId, Mid, type Uid } from '../../contracts/ids.ts';
import { type Chat, conversationOf, inboxStream } from '../domain/chat.ts';
import { groupStream, mustBeIn } from '../domain/group.ts';
import { mustExist, userStream } from '../domain/user.ts';
import { type EventLog, type Position, startOfLog } from '../log/log.ts';
import { type Page, type PagedMessage, readPage } from '../queries/history.ts';
import { findInboxEntry } from '../queries/inbox.ts';
import { lastMessage } from '../queries/messages.ts';
import { findReading, type Reading } from '../queries/reading.ts';
import type { ReadDatabase } from '../queries/tables.ts';
import type { AggregateStore } from './aggregate-store.ts';
import type { CommandContext } from './context.ts';
import { appendAny } from './execute.ts';

interface Parts {
  readonly log: EventLog;
  readonly store: AggregateStore;
  readonly database: ReadDatabase;
}

/** Changes of a chat in a person's list; what is undefined stays as it is. */
export interface ChatChanges {
  readonly state?: 'chatting' | 'hidden' | undefined;
  /** Marks as read up to the last message at this time, in seconds since 1970. */
  readonly lastReadTime?: number | undefined;
  /** 0 marks all as read; n > 0 shows at least n as unread until the next reading. */
  readonly unreadCount?: number | undefined;
  readonly top?: boolean | undefined;
}

/**
 * Changes a chat in a person's list (friend/update, group/memberupdate, pop/delchat).
 * @returns the position that includes the changes; the start of the log if there were none to make
 * @throws Refusal missing if no change is given; noUser, noGroup, illegal
 */
export async function changeChat(
  parts: Parts,
  uid: Uid,
  chat: Chat,
  changes: ChatChanges,
  context: CommandContext,
): Promise<Position> {
  if (Object.values(changes).every((value) => value === undefined))
    throw new Refusal('missing', '缺少参数state');
  await mustBeChat(parts, uid, chat);
  const conversation = conversationOf(uid, chat);
  const entry = await findInboxEntry(parts.database, uid, conversation);
  const events: InboxEvent[] = [];
  const at = { uid, conversation };
  if (changes.lastReadTime !== undefined) {
    events.push(...(await reading(parts.database, uid, conversation, { until: changes.lastReadTime })));
  }
  if (changes.unreadCount === 0) events.push(...(await reading(parts.database, uid, conversation, {})));
  else if (changes.unreadCount !== undefined && (await lastMessage(parts.database, conversation))) {
    // In a conversation without messages no reading could remove the mark.
    events.push({ type: 'UnreadMarked', data: { ...at, count: changes.unreadCount } });
  }
  if (changes.top !== undefined && changes.top !== (entry?.pinned ?? false)) {
    events.push({ type: changes.top ? 'ChatPinned' : 'ChatUnpinned', data: at });
  }
  if (changes.state === 'hidden' && entry && !entry.hidden) events.push({ type: 'ChatHidden', data: at });
  if (changes.state === 'chatting' && entry?.hidden !== false) events.push({ type: 'ChatShown', data: at });
  return appendAny(parts.log, inboxStream(uid), events, context);
}

/**
 * Marks a conversation as read, up to a message or up to its end.
 * @returns the position that includes it; the start of the log if it was read already
 */
export async function markRead(
  { log, database }: Pick<Parts, 'log' | 'database'>,
  uid: Uid,
  conversation: ConversationId,
  upTo: { readonly message?: { readonly mid: Mid; readonly sequence: number } },
  context: CommandContext,
): Promise<Position> {
  return appendAny(log, inboxStream(uid), await reading(database, uid, conversation, upTo), context);
}

/**
 * The last messages of a conversation for a reader, which marks it as read.
 * @param reading the range that the reader may read, and how far they have read it
 * @returns the page, and the position that includes the reading
 */
export async function readNewest(
  parts: Pick<Parts, 'log' | 'database'>,
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
async function reading(
  database: ReadDatabase,
  uid: Uid,
  conversation: ConversationId,
  upTo: {
    readonly message?: { readonly mid: Mid; readonly sequence: number };
    readonly until?: number;
  },
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

async function mustBeChat({ store }: Parts, uid: Uid, chat: Chat): Promise<void> {
  if (chat.type === 'friend') mustExist((await store.load(userStream(chat.id))).state);
  else mustBeIn((await store.load(groupStream(chat.id))).state, uid);
}
