import { z } from 'zod';
import { ReplyId, Uid } from '../ids.ts';
import { type EventOf, event, personal } from './event.ts';

/** 1 welcome, 2 quick reply, 3 frequent question. */
export const ReplyType = z.union([z.literal(1), z.literal(2), z.literal(3)]);
export type ReplyType = z.infer<typeof ReplyType>;

const fields = {
  rid: ReplyId,
  uid: Uid,
  type: ReplyType,
  title: personal(z.string()),
  content: personal(z.string()),
  weights: z.int(),
  isDefault: z.boolean(),
};

/** Stream `reply-{uid}`: a member's customer-service replies. Each event holds the whole reply. */
export const replyEvents = [
  event('ReplyAdded', z.object(fields)),
  event('ReplyUpdated', z.object(fields)),
  event('ReplyDeleted', z.object({ rid: ReplyId, uid: Uid })),
] as const;

export type ReplyEvent = EventOf<(typeof replyEvents)[number]>;
