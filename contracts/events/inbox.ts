import { z } from 'zod';
import { AnnouncementId, ConversationId, Mid, Uid } from '../ids.ts';
import { type EventOf, event } from './event.ts';

/** Stream `inbox-{uid}`: how one person's list of chats stands. Not folded to decide. */
export const inboxEvents = [
  /** Read up to `sequence` of the conversation, where message `mid` stands; never goes back. */
  event(
    'ReadTo',
    z.object({ uid: Uid, conversation: ConversationId, mid: Mid, sequence: z.int().nonnegative() }),
  ),
  /** Shows at least `count` unread until the next reading. */
  event('UnreadMarked', z.object({ uid: Uid, conversation: ConversationId, count: z.int().positive() })),
  event('ChatHidden', z.object({ uid: Uid, conversation: ConversationId })),
  event('ChatShown', z.object({ uid: Uid, conversation: ConversationId })),
  event('ChatPinned', z.object({ uid: Uid, conversation: ConversationId })),
  event('ChatUnpinned', z.object({ uid: Uid, conversation: ConversationId })),
  /** The person has seen the announcements up to `id`; never goes back. */
  event('AnnouncementsSeen', z.object({ uid: Uid, id: AnnouncementId })),
] as const;

export type InboxEvent = EventOf<(typeof inboxEvents)[number]>;
