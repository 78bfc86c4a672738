import { Refusal } from '../../contracts/codes.ts';
import type { ConversationEvent } from '../../contracts/events/conversation.ts';
import type { Mid, Uid } from '../../contracts/ids.ts';
import { type Chat, conversationOf } from '../domain/chat.ts';
import { conversationStream, deleteMessage, revokeMessage } from '../domain/conversation.ts';
import { groupStream, mustBeIn } from '../domain/group.ts';
import { settingStream } from '../domain/setting.ts';
import { mustBeActive, userStream } from '../domain/user.ts';
import type { EventLog, Position } from '../log/log.ts';
import { findMessage, findReading } from '../queries/messages.ts';
import type { ReadDatabase } from '../queries/tables.ts';
import type { AggregateStore } from './aggregate-store.ts';
import { type CommandContext, seconds } from './context.ts';
import { appendAny } from './execute.ts';

/** How a message is taken away: shown as revoked, gone for the taker alone, gone for all. */
export type Taking = 'revoke' | 'delete for self' | 'delete for all';

/**
 * Revokes or deletes a message. What was taken already is done.
 * @throws Refusal noMessage, illegal, tooLate, noGroup, disabled
 */
export async function takeMessage(
  {
    log,
    store,
    database,
  }: { readonly log: EventLog; readonly store: AggregateStore; readonly database: ReadDatabase },
  taking: Taking,
  { by, chat, mid }: { readonly by: Uid; readonly chat: Chat; readonly mid: Mid },
  context: CommandContext,
): Promise<Position> {
  const conversation = conversationOf(by, chat);
  const [{ state: settings }, { state: taker }] = await Promise.all([
    store.load(settingStream),
    store.load(userStream(by)),
  ]);
  if (taking !== 'delete for self') mustBeActive(taker);
  const group =
    chat.type === 'group' ? mustBeIn((await store.load(groupStream(chat.id))).state, by) : undefined;
  const [message, reading] = await Promise.all([
    findMessage(database, conversation, mid),
    findReading(database, by, conversation),
  ]);
  if (!message || !reading || message.sequence <= reading.from) throw new Refusal('noMessage');
  const command = { conversation, message, by, group, settings, now: seconds(context) };
  const events: ConversationEvent[] =
    taking === 'revoke'
      ? revokeMessage(command)
      : deleteMessage({ ...command, scope: taking === 'delete for all' ? 'all' : 'self' });
  return appendAny(log, conversationStream(conversation), events, context);
}
