import type { ConversationId, Uid } from '../../contracts/ids.ts';
import { conversationStream } from '../domain/conversation.ts';
import { growingCache } from '../growing-cache.ts';
import { decode } from '../log/codec.ts';
import type { EventLog, Position } from '../log/log.ts';
import type { AggregateStore } from './aggregate-store.ts';

/** How many of a conversation's last events are read; if there are more, the read models are asked. */
const maxReadEvents = 100;

/** The number of pairs of sender and member that are remembered. */
const maxRemembered = 100_000;

/** Whether read models that include `position` show a message of `sender` in the conversation. @throws Refusal notReady */
export type HasSpoken = (conversation: ConversationId, sender: Uid, position: Position) => Promise<boolean>;

/** Who has sent a message to which member (会员): a member's greeting is sent once to each person. */
export class FirstMessages {
  readonly #log: Pick<EventLog, 'readStream'>;
  readonly #store: Pick<AggregateStore, 'isSkipped'>;
  readonly #hasSpoken: HasSpoken;
  /** Keys `sender>member` of first messages that are known to be sent. */
  readonly #sent = growingCache<string, true>(maxRemembered);

  constructor(
    log: Pick<EventLog, 'readStream'>,
    store: Pick<AggregateStore, 'isSkipped'>,
    hasSpoken: HasSpoken,
  ) {
    this.#log = log;
    this.#store = store;
    this.#hasSpoken = hasSpoken;
  }

  /** Notes that `from` has sent `to` a message. */
  note(from: Uid, to: Uid): void {
    this.#sent.set(`${from}>${to}`, true);
  }

  /** To be called when the log has changed. */
  clear(): void {
    this.#sent.clear();
  }

  /**
   * `sent`, or the last revision of the conversation, in which `from` has not sent anything to `to` yet. Automatic
   * answers do not count, unless only the read models contain them.
   * @throws UnreadableEvent, LogFailure, Refusal notReady
   */
  async find(from: Uid, to: Uid, conversation: ConversationId): Promise<'sent' | 'none' | number> {
    if (this.#sent.has(`${from}>${to}`)) return 'sent';
    let last: number | undefined;
    let oldest: { readonly revision: number; readonly position: Position } | undefined;
    const backwards = { direction: 'backwards', limit: maxReadEvents } as const;
    for await (const record of this.#log.readStream(conversationStream(conversation), backwards)) {
      last ??= record.revision;
      oldest = record;
      if (this.#store.isSkipped(record)) continue;
      const event = decode(record);
      if (event.type !== 'MessageSent' || event.data.from !== from || event.data.automatic) continue;
      this.note(from, to);
      return 'sent';
    }
    if (last === undefined || oldest === undefined) return 'none';
    if (oldest.revision > 0 && (await this.#hasSpoken(conversation, from, oldest.position))) {
      this.note(from, to);
      return 'sent';
    }
    return last;
  }
}
