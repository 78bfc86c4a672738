import type { ConversationEvent } from '../contracts/events/conversation.ts';
import { type ConversationId, conversationParties, type Mid, otherOf, type Uid } from '../contracts/ids.ts';
import { isRevoked, type TakenBack } from '../contracts/message-texts.ts';
import { groupChannel, userChannel } from '../contracts/push/index.ts';
import {
  friendMessagePushReads,
  friendMessageReads,
  groupMessagePushReads,
  groupMessageReads,
  sendToFriend,
  sendToGroup,
} from './messages.ts';
import { newestTakenBack } from './newest-message.ts';
import { type ProjectionsOf, type Pushes, timestampOf } from './projection.ts';
import type { Rows } from './store/row-store.ts';
import { conversations, type MessageRow, messageDeletions, messageOfEvent, messages } from './tables.ts';

interface Named {
  readonly conversation: ConversationId;
  readonly mid: Mid;
  readonly sequence: number;
  /** Who did it; undefined: the server's key. */
  readonly by?: Uid;
}

/** The message that an event names. @throws TypeError if another message has its sequence */
function named(rows: Rows, { conversation, mid, sequence }: Named): MessageRow {
  const message = rows.get(messages.at(conversation, sequence));
  if (message?.mid !== mid) throw new TypeError(`message ${mid} is not at ${sequence} of ${conversation}`);
  return message;
}

/** Takes a message back for everyone, and pushes that to the parties of the conversation. */
function takeBack(
  rows: Rows,
  pushes: Pushes,
  event: Named,
  state: TakenBack,
  push: 'revoke' | 'message_delete',
): void {
  const message = named(rows, event);
  if (message.state === 'deleted' || message.state === state) return;
  if (isRevoked(message.state) && isRevoked(state)) return;
  rows.put(messages, { ...message, state });
  pushes.takeBack(event.mid, state);
  const conversation = rows.get(conversations.at(event.conversation));
  if (conversation) {
    rows.put(conversations, {
      ...conversation,
      ...(conversation.newest_mid === event.mid ? newestTakenBack(state) : {}),
      dead_sequence: Math.max(conversation.dead_sequence, event.sequence),
    });
  }
  const { mid, by: uid = 0 } = event;
  const parties = conversationParties(event.conversation);
  if (parties.type === 'group') {
    pushes.add(groupChannel(parties.gid), push, { type: 'group', id: parties.gid, mid, uid });
    return;
  }
  for (const party of parties.uids) {
    const id = otherOf(parties.uids, party);
    pushes.add(userChannel(party), push, { type: 'friend', id, mid, uid });
  }
}

/**
 * Messages: sent, revoked, deleted.
 * @param repeats whether the log may hold a message with a uniqueId twice: the first event of an id then counts, and
 *   later ones change nothing
 */
export function conversationProjections(repeats: boolean): ProjectionsOf<ConversationEvent> {
  const mayRepeat = (uniqueId: string | undefined) => repeats && uniqueId !== undefined;
  return {
    MessageSent: {
      reads({ id, data: { conversation, from, uniqueId } }) {
        const parties = conversationParties(conversation);
        const refs =
          parties.type === 'group'
            ? groupMessageReads(from, parties.gid)
            : friendMessageReads(from, otherOf(parties.uids, from));
        return mayRepeat(uniqueId) ? [...refs, messageOfEvent(id)] : refs;
      },
      pushReads({ data: { conversation, from, quoteMid } }) {
        const parties = conversationParties(conversation);
        return parties.type === 'group'
          ? groupMessagePushReads(from, parties.gid, quoteMid)
          : friendMessagePushReads(from, otherOf(parties.uids, from), quoteMid);
      },
      apply(event, rows, pushes) {
        const { conversation, mid, from, content, quoteMid, mentions, uniqueId, contentHash } = event.data;
        if (mayRepeat(uniqueId) && rows.list(messageOfEvent(event.id)).length > 0) return;
        const arrival = {
          place: event.position,
          mid,
          event_id: event.id,
          content,
          timestamp: timestampOf(event),
          sub_type: 'message',
          quote_mid: quoteMid ?? null,
          mentions: mentions?.length ? mentions.map((uid) => (uid === 'all' ? 0 : uid)) : null,
          unique_id: uniqueId ?? null,
          content_hash: contentHash ?? null,
        } as const;
        const parties = conversationParties(conversation);
        if (parties.type === 'group') sendToGroup(rows, pushes, from, parties.gid, arrival);
        else sendToFriend(rows, pushes, from, otherOf(parties.uids, from), arrival);
      },
    },
    MessageRevoked: {
      reads: ({ data: { conversation, sequence } }) => [
        messages.at(conversation, sequence),
        conversations.at(conversation),
      ],
      apply({ data }, rows, pushes) {
        takeBack(rows, pushes, data, 'revoked', 'revoke');
      },
    },
    MessageWithdrawn: {
      reads: ({ data: { conversation, sequence } }) => [
        messages.at(conversation, sequence),
        conversations.at(conversation),
      ],
      apply({ data }, rows, pushes) {
        takeBack(rows, pushes, data, 'withdrawn', 'revoke');
      },
    },
    MessageDeleted: {
      reads: ({ data: { conversation, sequence, by } }) => [
        messages.at(conversation, sequence),
        conversations.at(conversation),
        messageDeletions.at(by, conversation, sequence),
      ],
      apply({ data }, rows, pushes) {
        if (data.scope === 'all') {
          takeBack(rows, pushes, data, 'deleted', 'message_delete');
          return;
        }
        const { conversation, sequence, mid, by: uid } = data;
        if (named(rows, data).state === 'deleted') return;
        if (rows.get(messageDeletions.at(uid, conversation, sequence))) return;
        rows.put(messageDeletions, { uid, conversation, sequence });
        const parties = conversationParties(conversation);
        const chat =
          parties.type === 'group'
            ? { type: parties.type, id: parties.gid }
            : { type: parties.type, id: otherOf(parties.uids, uid) };
        pushes.add(userChannel(uid), 'message_delete', { ...chat, mid, uid });
      },
    },
  };
}
