import { z } from 'zod';

const chatType = z.enum(['friend', 'group']);
const id = z.int().positive();

/** A message or notice. Between two people, the recipient's remark for the sender replaces the nickname. */
export const MessagePush = z.object({
  from: z.string(),
  from_name: z.string(),
  from_avatar: z.string(),
  /** The uid of the addressee, or the gid. */
  to: z.string(),
  to_name: z.string(),
  to_avatar: z.string(),
  content: z.string(),
  timestamp: z.int(),
  type: chatType,
  sub_type: z.enum(['message', 'notice']),
  mid: id,
  quote_mid: id.optional(),
  /** The text of the quoted message when this one was sent. */
  quote_content: z.string().optional(),
  uniqueId: z.string().optional(),
});
export type MessagePush = z.infer<typeof MessagePush>;

/** The sender or the addressee of a message, as a push shows them. */
export interface PushedParty {
  readonly id: number;
  readonly name: string;
  /** As `userAvatar` and `groupAvatar` give it. */
  readonly avatar: string;
}

/** A message, as its row has it. */
export interface PushedMessage extends Pick<MessagePush, 'content' | 'timestamp' | 'sub_type' | 'mid'> {
  readonly quote_mid: number | null;
  readonly unique_id: string | null;
}

/**
 * The data of a message's push.
 * @param quoteContent what is shown of the quoted message, if there is one
 */
export function messagePush(
  type: MessagePush['type'],
  from: PushedParty,
  to: PushedParty,
  { content, timestamp, sub_type, mid, quote_mid, unique_id }: PushedMessage,
  quoteContent: string,
): MessagePush {
  return {
    ...{ from: String(from.id), from_name: from.name, from_avatar: from.avatar },
    ...{ to: String(to.id), to_name: to.name, to_avatar: to.avatar },
    ...{ content, timestamp, type, sub_type, mid },
    ...(quote_mid === null ? {} : { quote_mid, quote_content: quoteContent }),
    ...(unique_id === null ? {} : { uniqueId: unique_id }),
  };
}

/**
 * `id` is the chat as the recipient names it (the other's uid, or the gid), `uid` who did it; 0: the server's key, for
 * those who administer the system.
 */
export const ChatPush = z.object({ type: chatType, id, mid: id, uid: z.int().nonnegative() });
export type ChatPush = z.infer<typeof ChatPush>;
