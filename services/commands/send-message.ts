import { v5 as uuidv5 } from 'uuid';
import { type Chat, conversationOf } from '../../contracts/chat.ts';
import { Refusal } from '../../contracts/codes.ts';
import type { ConversationEvent } from '../../contracts/events/conversation.ts';
import { readModelCategories } from '../../contracts/events/index.ts';
import type { ConversationId, Mid, Uid } from '../../contracts/ids.ts';
import { type Addressee, conversationStream, mustMaySend, sendMessage } from '../domain/conversation.ts';
import { friendshipStream } from '../domain/friendship.ts';
import { groupStream } from '../domain/group.ts';
import { automaticAnswers, replyStream } from '../domain/reply.ts';
import { settingStream } from '../domain/setting.ts';
import { userStream } from '../domain/user.ts';
import { decode, encode } from '../log/codec.ts';
import {
  type EventId,
  type EventLog,
  type ExpectedRevision,
  LogFailure,
  type NewEvent,
  type Position,
  startOfLog,
} from '../log/log.ts';
import type { StoredMessage } from '../queries/messages.ts';
import type { AggregateStore } from './aggregate-store.ts';
import type { ContentHashes } from './content-hashes.ts';
import { type CommandContext, seconds } from './context.ts';
import { atLeastOne, metadataOf, newEventId, untilDecided } from './execute.ts';
import { FirstMessages, type HasSpoken } from './first-messages.ts';

export interface SendMessage {
  readonly from: Uid;
  readonly to: Chat;
  readonly content: string;
  readonly quoteMid?: Mid | undefined;
  readonly uniqueId?: string | undefined;
}

/** Reads from the read models, which only some messages need. */
export interface MessageLookup {
  readonly hasSpoken: HasSpoken;
  /** Whether `reader` can read the message `mid` in the conversation. */
  readable(conversation: ConversationId, reader: Uid, mid: Mid): Promise<boolean>;
  /** The message of an event id, by read models that include `position`. @throws Refusal notReady if they do not in time */
  byEventId(id: EventId, position: Position): Promise<StoredMessage | undefined>;
}

export interface SentMessage {
  readonly mid: Mid;
  readonly position: Position;
}

/** The namespace for event ids made of sender, conversation and uniqueId. Never change it. */
const namespace = '6f1e2c3a-52f4-4d0e-9c39-3a7d7f5f7f10';

/**
 * Clients of the original product send timestamps and counters as uniqueId, such as the present second, so two
 * texts with the same one are two messages.
 */
const counter = /^\d{1,15}$/;

export class MessageSender {
  readonly #log: EventLog;
  readonly #store: AggregateStore;
  readonly #lookup: MessageLookup;
  readonly #hashes: ContentHashes;
  readonly #nextMid: () => Mid | Promise<Mid>;
  readonly #first: FirstMessages;

  constructor(
    log: EventLog,
    store: AggregateStore,
    lookup: MessageLookup,
    hashes: ContentHashes,
    nextMid: () => Mid | Promise<Mid>,
  ) {
    this.#log = log;
    this.#store = store;
    this.#lookup = lookup;
    this.#hashes = hashes;
    this.#nextMid = nextMid;
    this.#first = new FirstMessages(log, store, lookup.hasSpoken);
    log.onChanged(() => this.#first.clear());
  }

  /**
   * Sends a message, with the automatic answers to it. The same sender, conversation and uniqueId give the same mid,
   * for ever, even if sending would be refused now; but a uniqueId that is a counter is only returned in the push.
   * @throws Refusal in the order of docs/behaviour.md, Messages; illegal if the uniqueId was used with other content
   */
  async send(command: SendMessage, context: CommandContext): Promise<SentMessage> {
    const { from, to, content, uniqueId } = command;
    if (to.type === 'friend' && to.id === from) throw new Refusal('illegal', '不能给自己发送消息');
    const conversation = conversationOf(from, to);
    if (uniqueId === undefined || counter.test(uniqueId))
      return this.#decide(command, conversation, newEventId(), undefined, context);
    const id = uuidv5(`${from}\n${conversation}\n${uniqueId}`, namespace) as EventId;
    const hash = this.#hashes.of(content);
    try {
      return this.#log.remembersIds === 'forever'
        ? await this.#decide(command, conversation, id, hash, context)
        : await this.#sendOnce(command, conversation, id, hash, context);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const existing = await this.#lookup.byEventId(id, await this.#log.end(readModelCategories));
      if (!existing) throw error;
      return this.#repeated(existing, content);
    }
  }

  /**
   * Sends over a log that may have forgotten the id and store it twice. The message of the id is looked up before,
   * which finds nearly all repeats, and afterwards, since the first one counts.
   */
  async #sendOnce(
    command: SendMessage,
    conversation: ConversationId,
    id: EventId,
    hash: string,
    context: CommandContext,
  ): Promise<SentMessage> {
    const known = await this.#lookup.byEventId(id, startOfLog);
    if (known) return this.#repeated(known, command.content);
    const { position } = await this.#decide(command, conversation, id, hash, context);
    const existing = await this.#lookup.byEventId(id, position);
    if (!existing) throw new LogFailure('doubtful', `there is no message with the id ${id} at ${position}`);
    return { ...this.#repeated(existing, command.content), position };
  }

  async #decide(
    command: SendMessage,
    conversation: ConversationId,
    id: EventId,
    contentHash: string | undefined,
    context: CommandContext,
  ): Promise<SentMessage> {
    const { from, to, content, quoteMid, uniqueId } = command;
    const [{ state: settings }, { state: sender }, addressee] = await Promise.all([
      this.#store.load(settingStream),
      this.#store.load(userStream(from)),
      this.#addressee(from, to),
    ]);
    mustMaySend(sender, addressee, settings, seconds(context));
    if (quoteMid !== undefined && !(await this.#lookup.readable(conversation, from, quoteMid))) {
      throw new Refusal('noMessage', '引用的消息不存在');
    }
    const mid = await this.#nextMid();
    const sent = sendMessage(
      { conversation, mid, from, content, quoteMid, uniqueId, contentHash },
      addressee,
      settings,
    );
    const stream = conversationStream(conversation);
    return untilDecided(stream, async () => {
      const { expected, answers } = await this.#answers(command, addressee, conversation);
      const events: NewEvent[] = [encode(id, sent, metadataOf(context))];
      for (const answer of answers) {
        const automatic = await this.#answer(answer, conversation, to, addressee);
        events.push(encode(newEventId(), automatic, metadataOf(context, id)));
      }
      const result = await this.#log.append(stream, expected, atLeastOne(events), context.generation);
      if (result.outcome === 'conflict') return undefined;
      if (expected !== 'any' && to.type === 'friend') this.#first.note(from, to.id);
      if (result.outcome === 'appended') return { mid, position: result.position };
      const stored = await this.#storedAt(conversation, result.revision);
      // Without a uniqueId nobody else knows the id: it was this call that stored it, and the answer was lost.
      return contentHash === undefined ? stored : this.#repeated(stored, content);
    });
  }

  async #addressee(from: Uid, to: Chat): Promise<Addressee> {
    if (to.type === 'group')
      return { type: 'group', group: (await this.#store.load(groupStream(to.id))).state };
    const [user, friendship] = await Promise.all([
      this.#store.load(userStream(to.id)),
      this.#store.load(friendshipStream(from, to.id)),
    ]);
    return { type: 'friend', uid: to.id, user: user.state, friendship: friendship.state };
  }

  /**
   * The automatic answers of customer service, and the revision of the conversation that they depend on: only the
   * first message to a member depends on it.
   */
  async #answers(
    { from, content }: SendMessage,
    addressee: Addressee,
    conversation: ConversationId,
  ): Promise<{ expected: ExpectedRevision; answers: readonly string[] }> {
    if (addressee.type === 'group' || !addressee.user?.isMember || addressee.user.disabled)
      return { expected: 'any', answers: [] };
    const { state: replies } = await this.#store.load(replyStream(addressee.uid));
    const first = await this.#first.find(from, addressee.uid, conversation);
    const answers = automaticAnswers(replies, content, first !== 'sent');
    return { expected: first === 'sent' ? 'any' : first, answers };
  }

  async #answer(
    content: string,
    conversation: ConversationId,
    to: Chat,
    addressee: Addressee,
  ): Promise<ConversationEvent> {
    if (to.type !== 'friend') throw new TypeError('groups have no automatic answers');
    const { state: settings } = await this.#store.load(settingStream);
    const mid = await this.#nextMid();
    return sendMessage({ conversation, mid, from: to.id, content, automatic: true }, addressee, settings);
  }

  async #storedAt(conversation: ConversationId, revision: number): Promise<StoredMessage> {
    const stream = conversationStream(conversation);
    for await (const record of this.#log.readStream(stream, { from: revision, limit: 1 })) {
      const event = decode(record);
      if (event.type === 'MessageSent') {
        const { mid, content, contentHash } = event.data;
        return { mid, content, contentHash, position: event.position };
      }
    }
    throw new TypeError(`there is no message at ${stream}@${revision}`);
  }

  /**
   * The answer to a repeat. If the key of the recorded hash is not known any more, the text itself is compared.
   * @throws Refusal illegal if the uniqueId was used for another content
   */
  #repeated(stored: StoredMessage, content: string): SentMessage {
    const { mid, contentHash, position } = stored;
    const same =
      contentHash !== undefined && (this.#hashes.isOf(contentHash, content) ?? stored.content === content);
    if (!same) throw new Refusal('illegal', '参数uniqueId已用于另一条内容不同的消息');
    return { mid, position };
  }
}
