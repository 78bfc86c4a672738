import { type Chat, conversationOf } from '../../contracts/chat.ts';
import { Refusal } from '../../contracts/codes.ts';
import type { InboxEvent } from '../../contracts/events/inbox.ts';
import type { Uid } from '../../contracts/ids.ts';
import { groupStream, mustBeIn } from '../domain/group.ts';
import { inboxStream } from '../domain/inbox.ts';
import { mustHaveExisted, userStream } from '../domain/user.ts';
import type { Position } from '../log/log.ts';
import { findInboxEntry } from '../queries/inbox.ts';
import { lastMessage } from '../queries/messages.ts';
import type { CommandContext } from './context.ts';
import { appendAny } from './execute.ts';
import type { CommandParts } from './parts.ts';
import { readingEvents } from './reading.ts';

type Parts = Pick<CommandParts, 'log' | 'store' | 'database'>;

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
  if (Object.values(changes).every((value) => value === undefined)) throw Refusal.missing('state');
  await mustBeChat(parts, uid, chat);
  const conversation = conversationOf(uid, chat);
  const entry = await findInboxEntry(parts.database, uid, conversation);
  const events: InboxEvent[] = [];
  const at = { uid, conversation };
  if (changes.lastReadTime !== undefined) {
    events.push(...(await readingEvents(parts.database, uid, conversation, { until: changes.lastReadTime })));
  }
  if (changes.unreadCount === 0) events.push(...(await readingEvents(parts.database, uid, conversation, {})));
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

async function mustBeChat({ store }: Parts, uid: Uid, chat: Chat): Promise<void> {
  // The chat with a deleted account can be hidden and read.
  if (chat.type === 'friend') mustHaveExisted((await store.load(userStream(chat.id))).state);
  else mustBeIn((await store.load(groupStream(chat.id))).state, uid);
}
