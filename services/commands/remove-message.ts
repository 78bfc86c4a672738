import { type Chat, conversationOf } from '../../contracts/chat.ts';
import { Refusal } from '../../contracts/codes.ts';
import type { ConversationEvent } from '../../contracts/events/conversation.ts';
import type { Mid, Uid } from '../../contracts/ids.ts';
import { conversationStream, deleteMessage, revokeMessage } from '../domain/conversation.ts';
import { groupStream, mustBeIn } from '../domain/group.ts';
import { settingStream } from '../domain/setting.ts';
import { mustBeActive, userStream } from '../domain/user.ts';
import type { EventLog, Position } from '../log/log.ts';
import { findMessage } from '../queries/messages.ts';
import { findReading } from '../queries/reading.ts';
import type { ReadDatabase } from '../queries/tables.ts';
import type { AggregateStore } from './aggregate-store.ts';
import { type CommandContext, seconds } from './context.ts';
import { appendAny } from './execute.ts';

/** Shown as revoked, gone for the person alone, or gone for all. */
export type Removal = 'revoke' | 'delete for self' | 'delete for all';

/**
 * Revokes or deletes a message. If it was removed before, nothing changes.
 * @throws Refusal noMessage, illegal, tooLate, noGroup, disabled
 */
export async function removeMessage(
  {
    log,
    store,
    database,
  }: { readonly log: EventLog; readonly store: AggregateStore; readonly database: ReadDatabase },
  removal: Removal,
  { by, chat, mid }: { readonly by: Uid; readonly chat: Chat; readonly mid: Mid },
  context: CommandContext,
): Promise<Position> {
  const conversation = conversationOf(by, chat);
  const [{ state: settings }, { state: person }] = await Promise.all([
    store.load(settingStream),
    store.load(userStream(by)),
  ]);
  if (removal !== 'delete for self') mustBeActive(person);
  const group =
    chat.type === 'group' ? mustBeIn((await store.load(groupStream(chat.id))).state, by) : undefined;
  const [message, reading] = await Promise.all([
    findMessage(database, conversation, mid),
    findReading(database, by, conversation),
  ]);
  if (!message || !reading || message.sequence <= reading.from) throw new Refusal('noMessage');
  const command = { conversation, message, by, group, settings, now: seconds(context) };
  const events: ConversationEvent[] =
    removal === 'revoke'
      ? revokeMessage(command)
      : deleteMessage({ ...command, scope: removal === 'delete for all' ? 'all' : 'self' });
  return appendAny(log, conversationStream(conversation), events, context);
}
