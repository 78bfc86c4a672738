import { isRevoked, type MessageState } from '../../contracts/message-texts.ts';

/** A group, and the membership of someone in it, as far as what they may read goes by them. */
export interface ReadingMembership {
  readonly state: 'normal' | 'dissolved';
  /** The end of the group's conversation when they joined last; null: they are no member. */
  readonly joinedSequence: number | null;
}

/**
 * After which sequence someone reads a group's conversation: what came after their latest joining is
 * theirs. Undefined if none of it is, because they are no member or the group is no more.
 */
export function readsGroupAfter(membership: ReadingMembership | undefined): number | undefined {
  if (membership?.state !== 'normal') return undefined;
  return membership.joinedSequence ?? undefined;
}

/** How one message appears to someone. */
export type Visibility =
  | 'visible'
  /** In its place is 「此消息已撤回」. */
  | 'revoked'
  /** In its place is 「此消息已被系统管理员撤回」. */
  | 'withdrawn'
  | 'deleted for all'
  | 'deleted for self'
  /** It was sent before they joined. */
  | 'before joining'
  | 'no part';

/**
 * How a message appears to someone.
 * @param after after which sequence they read the conversation; undefined: they take no part in it
 * @param deleted whether they deleted it for themselves
 */
export function visibilityOf(
  message: { readonly sequence: number; readonly state: MessageState },
  after: number | undefined,
  deleted: boolean,
): Visibility {
  if (after === undefined) return 'no part';
  if (message.sequence <= after) return 'before joining';
  if (message.state === 'deleted') return 'deleted for all';
  if (deleted) return 'deleted for self';
  return isRevoked(message.state) ? message.state : 'visible';
}

/** What the unread messages of someone in a conversation are counted by. */
export interface UnreadNumbers {
  /** The conversation's last sequence, and how many messages (no notices) it holds; null: nothing was said. */
  readonly sequence: number | null;
  readonly counted: number | null;
  /** The reader's own messages. */
  readonly own: number;
  readonly read_sequence: number;
  /** Messages of others up to there; null: there are none. */
  readonly read_others: number | null;
  /** Messages of others after there that were revoked or deleted for all. */
  readonly taken: number;
  /** Other messages of others after there that the reader deleted. */
  readonly deleted: number;
  /** The least that is shown until the next reading. */
  readonly marked_unread: number;
}

/** How many messages of others someone has not read (docs/behaviour.md, Messages). */
export function unreadCount(numbers: UnreadNumbers): number {
  const { sequence, counted, own, read_sequence, read_others, taken, deleted, marked_unread } = numbers;
  if (sequence === null || counted === null || sequence <= read_sequence) return marked_unread;
  return Math.max(counted - own - (read_others ?? 0) - taken - deleted, marked_unread);
}

/** Whether a message is one that can be unread for `reader`, as long as it is neither revoked nor deleted. */
export function canBeUnread(
  message: { readonly sub_type: 'message' | 'notice'; readonly sender: number },
  reader: number,
): boolean {
  return message.sub_type === 'message' && message.sender !== reader;
}
