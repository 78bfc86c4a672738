import { z } from 'zod';
import { ApplicationId, Mid, Uid } from '../ids.ts';
import { type EventOf, event, personal } from './event.ts';

/** Stream `friendship-{lower uid}-{higher uid}`: what two people are to each other. */
export const friendshipEvents = [
  /** A new application, or a new text for the open one of the same id. */
  event(
    'FriendApplied',
    z.object({
      applicationId: ApplicationId,
      from: Uid,
      to: Uid,
      postscript: personal(z.string()),
    }),
  ),
  /** `to` accepted the application of `from`, and greets with the message `mid`. */
  event(
    'FriendAgreed',
    z.object({ applicationId: ApplicationId, from: Uid, to: Uid, mid: Mid, content: z.string() }),
  ),
  event('FriendRefused', z.object({ applicationId: ApplicationId, from: Uid, to: Uid })),
  /** Friends without asking; open applications between the two count as agreed. */
  event('Befriended', z.object({ by: Uid, friend: Uid })),
  event('FriendRemarked', z.object({ by: Uid, friend: Uid, remark: personal(z.string()) })),
  event('Unfriended', z.object({ by: Uid, friend: Uid })),
] as const;

export type FriendshipEvent = EventOf<(typeof friendshipEvents)[number]>;
