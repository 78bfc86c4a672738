import type { Chat } from '../../contracts/chat.ts';
import { Refusal } from '../../contracts/codes.ts';
import { type ConversationId, conversationParties, type Mid } from '../../contracts/ids.ts';
import { conversationStream, withdrawMessage as decide } from '../domain/conversation.ts';
import type { Position } from '../log/log.ts';
import { findMessage, findMessageOrigin } from '../queries/messages.ts';
import type { CommandContext } from './context.ts';
import { appendAny } from './execute.ts';
import type { CommandParts } from './parts.ts';

/**
 * Revokes anybody's message at any time, for those who administer the system. Revoked already: nothing changes.
 * @param chat the group, or a person who takes part in the conversation
 * @throws Refusal noMessage, illegal
 */
export async function withdrawMessage(
  { log, database }: Pick<CommandParts, 'log' | 'database'>,
  { chat, mid }: { readonly chat: Chat; readonly mid: Mid },
  context: CommandContext,
): Promise<Position> {
  const origin = await findMessageOrigin(database, mid);
  if (!origin || !isOf(chat, origin.conversation)) throw new Refusal('noMessage');
  const { conversation } = origin;
  const message = await findMessage(database, conversation, mid);
  if (!message) throw new Refusal('noMessage');
  return appendAny(log, conversationStream(conversation), decide(conversation, message), context);
}

function isOf({ type, id }: Chat, conversation: ConversationId): boolean {
  const parties = conversationParties(conversation);
  if (parties.type === 'group') return type === 'group' && parties.gid === id;
  return type === 'friend' && parties.uids.some((uid) => uid === id);
}
