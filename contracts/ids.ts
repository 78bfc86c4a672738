import { z } from 'zod';

/* Events hold ids for ever: their range can be widened, never narrowed. */

/** A positive integer below 2^53, which every client reads from JSON without loss. */
const id = () => z.int().positive();

export const Uid = id().brand<'Uid'>();
/** A person, as the API numbers them. */
export type Uid = z.infer<typeof Uid>;

export const Gid = id().brand<'Gid'>();
/** A group: random, 9 digits. */
export type Gid = z.infer<typeof Gid>;

export const Mid = id().brand<'Mid'>();
/** A message, unique over all conversations; orders nothing. */
export type Mid = z.infer<typeof Mid>;

/**
 * The first of the mids that replace a mid which was given twice (projections/mid-twice.ts). The sequence of mids
 * never reaches it.
 */
export const firstReplacedMid = 2 ** 52;

export const ApplicationId = id().brand<'ApplicationId'>();
/** A friend application: what the API calls `nid` in the friend calls. */
export type ApplicationId = z.infer<typeof ApplicationId>;

export const ReplyId = id().brand<'ReplyId'>();
/** A customer-service reply: what the API calls `rid`. */
export type ReplyId = z.infer<typeof ReplyId>;

export const AnnouncementId = id().brand<'AnnouncementId'>();
/** An announcement to everyone: 1, 2, 3 … in the order of the log. */
export type AnnouncementId = z.infer<typeof AnnouncementId>;

export const NumberId = id().brand<'NumberId'>();
/** The 数字ID by which others find a person: what the API calls `nid` of a user. */
export type NumberId = z.infer<typeof NumberId>;

export const ConversationId = z
  .string()
  .regex(/^(f\d+-\d+|g\d+)$/)
  .brand<'ConversationId'>();
/** `f{lower}-{higher}` between two people, `g{gid}` in a group. */
export type ConversationId = z.infer<typeof ConversationId>;

/* These are made of ids that were read by their schemas, and are not read again: they are made for every message. */

/** The conversation of two people, in either order. */
export function friendConversation(one: Uid, other: Uid): ConversationId {
  return `f${Math.min(one, other)}-${Math.max(one, other)}` as ConversationId;
}

/** The conversation of a group. */
export function groupConversation(gid: Gid): ConversationId {
  return `g${gid}` as ConversationId;
}

/** Who talks in a conversation: two people, lower uid first, or a group. */
export type ConversationParties =
  | { readonly type: 'friend'; readonly uids: readonly [Uid, Uid] }
  | { readonly type: 'group'; readonly gid: Gid };

/** Parses a conversation's id. */
export function conversationParties(conversation: ConversationId): ConversationParties {
  if (conversation.startsWith('g')) return { type: 'group', gid: Number(conversation.slice(1)) as Gid };
  const dash = conversation.indexOf('-');
  const lower = Number(conversation.slice(1, dash)) as Uid;
  return { type: 'friend', uids: [lower, Number(conversation.slice(dash + 1)) as Uid] };
}

/** The other one of two people. */
export function otherOf(uids: readonly [Uid, Uid], uid: Uid): Uid {
  return uids[0] === uid ? uids[1] : uids[0];
}
