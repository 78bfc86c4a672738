import { z } from 'zod';
import { ConversationId, Mid, Uid } from '../ids.ts';
import { type EventOf, event, personal } from './event.ts';

/** Stream `conversation-{conversation}`: what was said. Never folded whole. */
export const conversationEvents = [
  event(
    'MessageSent',
    z.object({
      conversation: ConversationId,
      mid: Mid,
      from: Uid,
      content: personal(z.string()),
      quoteMid: Mid.optional(),
      /** Uids that `@[name](uid)` names, and `all` for `@all` of who may. */
      mentions: z.array(z.union([Uid, z.literal('all')])).optional(),
      /** The client's own id of the message, given back in the push. */
      uniqueId: z.string().optional(),
      /**
       * Of the content as it came in: distinguishes a repeat from a misuse of the uniqueId. A keyed hash with the name of
       * its key (services/commands/content-hashes.ts); in older events 64 hex digits of sha-256.
       */
      contentHash: z.string().optional(),
      /** True for an automatic answer of customer service, which never triggers another. */
      automatic: z.boolean().optional(),
    }),
  ),
  /** `sequence` is where the projection placed message `mid` in its conversation; the same in every rebuild. */
  event(
    'MessageRevoked',
    z.object({ conversation: ConversationId, mid: Mid, sequence: z.int().positive(), by: Uid }),
  ),
  /** The server's key revoked message `mid`, of any sender and any age. */
  event(
    'MessageWithdrawn',
    z.object({ conversation: ConversationId, mid: Mid, sequence: z.int().positive() }),
  ),
  /** `self`: it vanishes for the one who deletes; `all`: for everyone. */
  event(
    'MessageDeleted',
    z.object({
      conversation: ConversationId,
      mid: Mid,
      sequence: z.int().positive(),
      by: Uid,
      scope: z.enum(['self', 'all']),
    }),
  ),
] as const;

export type ConversationEvent = EventOf<(typeof conversationEvents)[number]>;
