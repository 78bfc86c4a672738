import type { DomainEvent } from '../../../contracts/events/index.ts';
import {
  type ConversationId,
  friendConversation,
  groupConversation,
  type Mid,
} from '../../../contracts/ids.ts';
import { tryDecode } from '../../log/codec.ts';
import { type Position, startOfLog } from '../../log/log.ts';
import type { ReadableLog } from '../readable-log.ts';
import type { MessageOrigin } from './message-origin.ts';

/** The streams that messages, greetings and notices come from. */
const prefixes = ['conversation-', 'friendship-', 'group-'];

/** Looks for a message in the events after a position, one by one: for what no read model shows. */
export async function findInLog(
  log: ReadableLog,
  mid: Mid,
  after: Position = startOfLog,
): Promise<MessageOrigin | undefined> {
  for await (const record of log.readAll({ after, prefixes })) {
    const event = tryDecode(record);
    if (!('metadata' in event)) continue;
    const conversation = conversationOfMid(event, mid);
    if (conversation) return { mid, conversation, eventId: event.id };
  }
  return undefined;
}

/** The conversation in which an event leaves a message of this mid; undefined if it does not. */
function conversationOfMid({ type, data }: DomainEvent, mid: Mid): ConversationId | undefined {
  if (type === 'MessageSent') return data.mid === mid ? data.conversation : undefined;
  if (type === 'FriendAgreed') return data.mid === mid ? friendConversation(data.from, data.to) : undefined;
  if ('noticeMid' in data) return data.noticeMid === mid ? groupConversation(data.gid) : undefined;
  return undefined;
}
