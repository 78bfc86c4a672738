import { LRUCache } from 'lru-cache';
import type { ConversationId, Uid } from '../../contracts/ids.ts';
import { conversationStream } from '../domain/conversation.ts';
import { decode } from '../log/codec.ts';
import type { EventLog, Position } from '../log/log.ts';
import type { AggregateStore } from './aggregate-store.ts';

/** So many of a conversation's last events are looked through; where that is not enough, the index is asked. */
const mostLookedThrough = 100;

/** Of so many pairs it is remembered that a first message was sent. */
const mostRemembered = 100_000;

/** Whether read models that reach `position` show a message of `sender` in the conversation. @throws Refusal notReady */
export type HasSpoken = (conversation: ConversationId, sender: Uid, position: Position) => Promise<boolean>;

/** Who has sent a first message to whom: a member (会员) welcomes each person once. */
export class FirstMessages {
  readonly #log: Pick<EventLog, 'readStream'>;
  readonly #store: Pick<AggregateStore, 'passesOver'>;
  readonly #hasSpoken: HasSpoken;
  /** `sender>member` of whom it is known. */
  readonly #sent = new LRUCache<string, true>({ max: mostRemembered });

  constructor(
    log: Pick<EventLog, 'readStream'>,
    store: Pick<AggregateStore, 'passesOver'>,
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

  /** Forgets all, since the log is another one than it was. */
  clear(): void {
    this.#sent.clear();
  }

  /**
   * `sent`, or the revision at which `from` has not yet sent anything to `to`. Automatic answers do not
   * count, unless they lie so far back that only the index knows of them.
   * @throws UnreadableEvent, LogFailure, Refusal notReady
   */
  async find(from: Uid, to: Uid, conversation: ConversationId): Promise<'sent' | 'none' | number> {
    if (this.#sent.has(`${from}>${to}`)) return 'sent';
    let last: number | undefined;
    let oldest: { readonly revision: number; readonly position: Position } | undefined;
    const backwards = { direction: 'backwards', limit: mostLookedThrough } as const;
    for await (const record of this.#log.readStream(conversationStream(conversation), backwards)) {
      last ??= record.revision;
      oldest = record;
      if (this.#store.passesOver(record)) continue;
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
