import { Refusal } from '../../contracts/codes.ts';
import type { ConversationEvent } from '../../contracts/events/conversation.ts';
import type { ConversationId, Mid, Uid } from '../../contracts/ids.ts';
import { isRevoked, type MessageState } from '../../contracts/message-texts.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { StreamName } from '../log/log.ts';
import { streamName } from './aggregate.ts';
import { starOut } from './dirty-words.ts';
import type { FriendshipState } from './friendship.ts';
import { type GroupState, mayManage, mustMaySpeak } from './group.ts';
import { mentionedUids, mentionsEveryone } from './mentions.ts';
import { mustBeActive, mustExist, type UserState } from './user.ts';

/** The stream `conversation-{conversation}`. */
export function conversationStream(conversation: ConversationId): StreamName {
  return streamName(`conversation-${conversation}`);
}

/** The recipient of a message, with the state that decides whether it may be sent. */
export type Addressee =
  | {
      readonly type: 'friend';
      readonly uid: Uid;
      readonly user: UserState;
      readonly friendship: FriendshipState;
    }
  | { readonly type: 'group'; readonly group: GroupState };

/**
 * Whether `sender` may send to `addressee` at `now` (seconds since 1970); the checks in the order of
 * docs/behaviour.md, Messages.
 * @throws Refusal noUser, disabled, chatOff, noGroup, illegal, notFriends, muted, groupMuted
 */
export function mustMaySend(sender: UserState, addressee: Addressee, settings: Settings, now: number): void {
  const { uid } = mustBeActive(sender);
  if (addressee.type === 'friend') {
    if (settings.private_chat === 'off') throw new Refusal('chatOff', '私聊功能已关闭');
    mustExist(addressee.user);
    if (settings.stranger_chat === 'off' && !addressee.friendship.friends) throw new Refusal('notFriends');
  } else {
    if (settings.group_chat === 'off') throw new Refusal('chatOff', '群聊功能已关闭');
    mustMaySpeak(addressee.group, uid, now);
  }
}

/** A message about to be sent. */
export interface Draft {
  readonly conversation: ConversationId;
  readonly mid: Mid;
  readonly from: Uid;
  readonly content: string;
  readonly quoteMid?: Mid | undefined;
  readonly uniqueId?: string | undefined;
  readonly contentHash?: string | undefined;
  readonly automatic?: true | undefined;
}

/** The event of a message that may be sent, with dirty words replaced by asterisks, and its mentions. */
export function sendMessage(draft: Draft, addressee: Addressee, settings: Settings): ConversationEvent {
  const { conversation, mid, from, content, quoteMid, uniqueId, contentHash, automatic } = draft;
  const mentions = mentioned(content, from, addressee);
  return {
    type: 'MessageSent',
    data: {
      conversation,
      mid,
      from,
      content: starOut(content, settings.dirty_words),
      ...(quoteMid === undefined ? {} : { quoteMid }),
      ...(mentions.length === 0 ? {} : { mentions }),
      ...(uniqueId === undefined ? {} : { uniqueId, contentHash }),
      ...(automatic ? { automatic } : {}),
    },
  };
}

/** The members that a message mentions, and `all` if the owner or a manager writes `@all`. */
function mentioned(content: string, from: Uid, addressee: Addressee): (Uid | 'all')[] {
  if (addressee.type !== 'group' || !addressee.group || !content.includes('@')) return [];
  const { group } = addressee;
  const members = mentionedUids(content).filter((uid) => uid !== from && group.members.has(uid));
  return mayManage(group, from) && mentionsEveryone(content) ? ['all', ...members] : members;
}

/** A message or notice of a conversation, as far as revoking and deleting go by it. */
export interface ConversationMessage {
  readonly mid: Mid;
  readonly sequence: number;
  readonly sender: Uid;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly notice: boolean;
  readonly state: MessageState;
}

/**
 * Whether `by` may revoke a message, or delete it for all: its sender for `revoke_seconds`, the owner and the managers
 * of the group at any time; nobody, if it is a notice.
 * @throws Refusal illegal, tooLate
 */
function mustMayRemove(
  message: ConversationMessage,
  by: Uid,
  group: GroupState | undefined,
  settings: Settings,
  now: number,
): void {
  if (message.notice) throw new Refusal('illegal', '系统消息不能撤回');
  if (group && mayManage(group, by)) return;
  if (message.sender !== by) throw new Refusal('illegal', '只能撤回自己的消息');
  if (now - message.timestamp > settings.revoke_seconds) throw new Refusal('tooLate');
}

interface Removal {
  readonly conversation: ConversationId;
  readonly message: ConversationMessage;
  readonly by: Uid;
  /** The group of the conversation, if it is one's. */
  readonly group?: GroupState | undefined;
  readonly settings: Settings;
  readonly now: number;
}

/** Revokes a message. Revoked already: nothing. @throws Refusal noMessage, illegal, tooLate */
export function revokeMessage({
  conversation,
  message,
  by,
  group,
  settings,
  now,
}: Removal): ConversationEvent[] {
  if (message.state === 'deleted') throw new Refusal('noMessage');
  if (isRevoked(message.state)) return [];
  mustMayRemove(message, by, group, settings, now);
  const { mid, sequence } = message;
  return [{ type: 'MessageRevoked', data: { conversation, mid, sequence, by } }];
}

/**
 * Revokes a message for those who administer the system: anybody's, at any time. Revoked already: nothing.
 * @throws Refusal noMessage; illegal for a notice
 */
export function withdrawMessage(
  conversation: ConversationId,
  message: ConversationMessage,
): ConversationEvent[] {
  const { mid, sequence, notice, state } = message;
  if (state === 'deleted') throw new Refusal('noMessage');
  if (isRevoked(state)) return [];
  if (notice) throw new Refusal('illegal', '系统消息不能撤回');
  return [{ type: 'MessageWithdrawn', data: { conversation, mid, sequence } }];
}

/** Deletes a message for its deleter only, or for all under the rules of revoking. */
export function deleteMessage(removal: Removal & { readonly scope: 'self' | 'all' }): ConversationEvent[] {
  const { conversation, message, by, group, settings, now, scope } = removal;
  if (message.state === 'deleted') return [];
  if (scope === 'all') mustMayRemove(message, by, group, settings, now);
  const { mid, sequence } = message;
  return [{ type: 'MessageDeleted', data: { conversation, mid, sequence, by, scope } }];
}
