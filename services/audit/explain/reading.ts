import { type Chat, conversationOf } from '../../../contracts/chat.ts';
import type { ConversationId, Uid } from '../../../contracts/ids.ts';
import { isRevoked, revokedTexts } from '../../../contracts/message-texts.ts';
import { groupStream } from '../../domain/group.ts';
import { canBeUnread, unreadCount, type Visibility, visibilityOf } from '../../domain/reading.ts';
import { userStream } from '../../domain/user.ts';
import type { Decoded } from '../../log/codec.ts';
import type { EventLog } from '../../log/log.ts';
import { FoldedStream } from '../folded-stream.ts';
import { ConversationReplay } from './conversation-replay.ts';
import type { Inquiry } from './inquiry.ts';
import type { MessageOrigin } from './message-origin.ts';
import type { Verdict } from './verdict.ts';

/** Why a message is not shown to someone. */
const reasons: Readonly<Record<Exclude<Visibility, 'visible' | keyof typeof revokedTexts>, string>> = {
  'no part': 'they take no part in the conversation',
  'before joining': 'it was sent before they joined the group',
  'deleted for all': 'it was deleted for all',
  'deleted for self': 'they deleted it for themselves',
};

/** Whether a message is shown to someone, by the read models of its conversation. */
export function visibility(origin: MessageOrigin, uid: Uid, remembersIds: EventLog['remembersIds']): Inquiry {
  const { mid, conversation, eventId } = origin;
  const user = new FoldedStream(userStream(uid), remembersIds);
  const replay = new ConversationReplay(conversation, [], remembersIds);
  const deleted = new Set<number>();
  let sequence: number | undefined;
  return {
    streams: [user.name, ...replay.streams],
    apply(event: Decoded) {
      user.apply(event);
      replay.apply(event);
      if (event.id === eventId) sequence ??= replay.sequence;
      if (event.type !== 'MessageDeleted' || event.data.scope === 'all') return;
      if (event.data.by === uid) deleted.add(event.data.sequence);
    },
    verdict(): Verdict {
      const message = sequence === undefined ? undefined : replay.message(sequence);
      if (!message) return { value: false, words: `cannot see message ${mid}: it is not sent yet` };
      const seen = visibilityOf(message, replay.readsAfter(uid), deleted.has(message.sequence));
      if (seen === 'visible') return { value: true, words: `can see message ${mid}` };
      if (isRevoked(seen)) {
        return { value: false, words: `sees 「${revokedTexts[seen]}」 in the place of message ${mid}` };
      }
      return { value: false, words: `cannot see message ${mid}: ${reasons[seen]}` };
    },
    turns: () => [],
    missing: () => {
      if (user.state === null) return `person ${uid}`;
      return sequence === undefined ? `message ${mid}` : undefined;
    },
  };
}

/** How many unread messages someone has in a chat, by the read models of the conversation. */
export function unread(uid: Uid, chat: Chat, remembersIds: EventLog['remembersIds']): Inquiry {
  const user = new FoldedStream(userStream(uid), remembersIds);
  const other =
    chat.type === 'friend'
      ? new FoldedStream(userStream(chat.id), remembersIds)
      : new FoldedStream(groupStream(chat.id), remembersIds);
  const counting = new UnreadCounting(conversationOf(uid, chat), uid, remembersIds);
  const where = chat.type === 'friend' ? `from person ${chat.id}` : `in group ${chat.id}`;
  return {
    streams: [user.name, other.name, ...counting.streams],
    apply(event: Decoded) {
      user.apply(event);
      other.apply(event);
      counting.apply(event);
    },
    verdict(): Verdict {
      const value = counting.count();
      return { value, words: `has ${value} unread ${value === 1 ? 'message' : 'messages'} ${where}` };
    },
    turns: () => [],
    missing: () => {
      if (user.state === null) return `person ${uid}`;
      if (other.state !== null) return undefined;
      return `${chat.type === 'friend' ? 'person' : 'group'} ${chat.id}`;
    },
  };
}

/** Counts what someone has not read in a conversation, by the running numbers that the queries use. */
class UnreadCounting {
  readonly #uid: Uid;
  readonly #replay: ConversationReplay;
  /** The sequences of messages of others that were revoked or deleted for all. */
  readonly #taken = new Set<number>();
  /** The sequences of messages of others that the reader deleted. */
  readonly #deleted = new Set<number>();
  /** The sequences of the reader's own messages and notices, and how many messages of theirs there are up to each. */
  readonly #own: { readonly sequence: number; readonly own: number }[] = [];

  constructor(conversation: ConversationId, uid: Uid, remembersIds: EventLog['remembersIds']) {
    this.#uid = uid;
    this.#replay = new ConversationReplay(conversation, [uid], remembersIds);
  }

  get streams() {
    return this.#replay.streams;
  }

  apply(event: Decoded): void {
    const { sequence: before } = this.#replay;
    this.#replay.apply(event);
    const { sequence } = this.#replay;
    const sent = sequence > before ? this.#replay.message(sequence) : undefined;
    if (sent?.sender === this.#uid) this.#own.push({ sequence, own: sent.own });
    if (event.type === 'MessageRevoked' || event.type === 'MessageWithdrawn')
      this.#takeOut(event.data.sequence);
    if (event.type !== 'MessageDeleted') return;
    if (event.data.scope === 'all') this.#takeOut(event.data.sequence);
    else if (event.data.by === this.#uid && this.#counts(event.data.sequence)) {
      this.#deleted.add(event.data.sequence);
    }
  }

  count(): number {
    const chat = this.#replay.inbox(this.#uid);
    const joined = this.#replay.readsAfter(this.#uid);
    if (!chat || joined === undefined) return 0;
    const { end } = this.#replay;
    const { read_sequence } = chat;
    const after = (sequences: Set<number>) =>
      sequences.values().reduce((count, sequence) => count + (sequence > read_sequence ? 1 : 0), 0);
    return unreadCount({
      ...chat,
      sequence: end?.sequence ?? null,
      counted: end?.counted ?? null,
      read_others: chat.read_others ?? this.#othersUpTo(read_sequence, joined),
      taken: after(this.#taken),
      deleted: after(this.#deleted.difference(this.#taken)),
    });
  }

  /** How many messages of others there are up to a sequence, if the chat does not keep that. */
  #othersUpTo(sequence: number, joined: number): number | null {
    const message = this.#replay.message(sequence);
    if (!message) return null;
    const last = this.#own.findLast((own) => own.sequence > joined && own.sequence <= sequence);
    return message.counted - (last?.own ?? 0);
  }

  #takeOut(sequence: number): void {
    if (this.#counts(sequence)) this.#taken.add(sequence);
  }

  #counts(sequence: number): boolean {
    const message = this.#replay.message(sequence);
    return message !== undefined && canBeUnread(message, this.#uid);
  }
}
