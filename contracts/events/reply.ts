import { z } from 'zod';
import { ReplyId, Uid } from '../ids.ts';
import { type EventOf, event, personal } from './event.ts';

/** 1 welcome, 2 quick reply, 3 frequent question. */
export const ReplyType = z.union([z.literal(1), z.literal(2), z.literal(3)]);
export type ReplyType = z.infer<typeof ReplyType>;

const Reply = z.object({
  rid: ReplyId,
  /** The member (会员) whose it is. */
  uid: Uid,
  type: ReplyType,
  title: personal(z.string()),
  content: personal(z.string()),
  weights: z.int(),
  isDefault: z.boolean(),
});
/** One customer-service reply. */
export type Reply = Readonly<z.infer<typeof Reply>>;

/** Stream `reply-{uid}`: a member's customer-service replies. Each event holds the whole reply. */
export const replyEvents = [
  event('ReplyAdded', Reply),
  event('ReplyUpdated', Reply),
  event('ReplyDeleted', z.object({ rid: ReplyId, uid: Uid })),
] as const;

export type ReplyEvent = EventOf<(typeof replyEvents)[number]>;
