import type { DomainEvent } from '../contracts/events/index.ts';
import type { ConversationId } from '../contracts/ids.ts';
import type { TakenBack } from '../contracts/message-texts.ts';
import type { PushName, StoredData } from '../contracts/push/index.ts';
import type { MessagePush } from '../contracts/push/message.ts';
import type { Decoded } from '../services/log/codec.ts';
import type { Rows } from './store/row-store.ts';
import type { Ref } from './store/table.ts';

/** A message as one channel gets it. */
export interface MessageCopy {
  readonly channel: string;
  readonly data: MessagePush;
}

/** Collects what is to be pushed, in the order in which clients get it. */
export interface Pushes {
  /** Whether anything is pushed: if not, what only pushes need is neither read nor made. */
  readonly wanted: boolean;
  add<Name extends PushName>(channel: string, event: Name, data: StoredData<Name>): void;
  /** Pushes a message to the channels of its conversation: the group's, or those of both people. */
  addMessage(conversation: ConversationId, copies: readonly MessageCopy[]): void;
  /** Removes a message or an announcement that was revoked or deleted for all, and its quotes, from the pushes that can be replayed. */
  takeBack(mid: number, state: TakenBack): void;
}

/** What one type of event does to the read models. Pure: the same event on the same rows does the same. */
export interface Projection<Event extends DomainEvent> {
  /** Every row that `apply` reads, also if nothing is pushed. */
  reads(event: Decoded<Event>): readonly Ref[];
  /** The rows that it reads besides for what it pushes. */
  pushReads?(event: Decoded<Event>): readonly Ref[];
  apply(event: Decoded<Event>, rows: Rows, pushes: Pushes): void;
}

/** A projection for each type of event of a category. */
export type ProjectionsOf<Event extends DomainEvent> = {
  readonly [Type in Event['type']]: Projection<Extract<Event, { type: Type }>>;
};

/** When an event happened, in whole seconds since 1970 as the API counts. */
export function timestampOf(event: Decoded): number {
  return Math.floor(event.metadata.time / 1000);
}
