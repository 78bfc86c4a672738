import { once } from 'node:events';
import { type AllStreamResolvedEvent, type AllStreamSubscription, START } from '@eventstore/db-client';
import type { Logger } from 'pino';
import type { Continuity } from '../continuity.ts';
import type { Position, RecordedEvent } from '../log.ts';
import type { EventStoreDBConnection } from './connection.ts';
import type { Heartbeat } from './heartbeat.ts';
import { positionOf, type StoredPosition, storedPositionOf } from './position.ts';
import type { Selection } from './selection.ts';
import { keepBytes } from './stored-bytes.ts';

/** The number of events held for a busy reader; then the subscription is paused. */
const maxHeldEvents = 512;

/** The parts of the log that its subscriptions use. */
export interface SubscriptionContext {
  readonly connection: EventStoreDBConnection;
  readonly logger: Logger;
  /** To be called whenever something is received, with the position of the event if it is one. */
  readonly onReceived: (position?: Position) => void;
  /** To be called with each event, and the call of `append` that stored it. */
  readonly onEvent: (record: RecordedEvent, origin: string | undefined) => void;
  readonly continuity: Pick<Continuity, 'generation'>;
  /** Asks the server whether its log is still the one that was followed. @throws LogFailure */
  readonly checkContinuity: () => Promise<void>;
  readonly server: Pick<Heartbeat, 'pingNow' | 'untilUp'>;
  /**
   * Emits `silent` when the server has stopped answering: present subscriptions then receive nothing more. Emits `moved`
   * when another node of a cluster may lead.
   */
  readonly silence: EventTarget;
}

/** One subscription of the client, from its start until it ends for any reason. */
export class SubscriptionSession<Item extends { readonly position: Position }> {
  /** All events of interest up to here were returned or are held. */
  last: Position;
  /** Since when the reader has been waiting for the server; infinite while it is not waiting. */
  waitingSince = Number.POSITIVE_INFINITY;
  /** Why it ended. */
  reason = 'it ended';
  readonly #context: SubscriptionContext;
  readonly #selection: Selection<Item>;
  readonly #subscription: AllStreamSubscription;
  readonly #changes = new EventTarget();
  #held: Item[] = [];
  #serverCaughtUp = false;
  /** Whether what was returned and is held reached the end of the log at some time. */
  #caughtUp = false;
  readonly #ended = new AbortController();

  /** Ends with the signal, and when the server has stopped answering. */
  constructor(
    context: SubscriptionContext,
    after: Position,
    selection: Selection<Item>,
    signal: AbortSignal,
  ) {
    this.#context = context;
    this.#selection = selection;
    this.last = after;
    const checkpoints = {
      maxSearchWindow: 256,
      checkpointInterval: 4,
      checkpointReached: (_: AllStreamSubscription, position: StoredPosition) =>
        this.#searchedTo(positionOf(position)),
    };
    const filter = selection.filter(checkpoints);
    const fromPosition = storedPositionOf(after) ?? START;
    this.#subscription = keepBytes(context.connection.subscribeToAll({ fromPosition, filter }));
    this.#subscription.on('data', (resolved) => this.#receive(resolved));
    this.#subscription.on('caughtUp', () => {
      this.#serverCaughtUp = true;
      this.#checkCaughtUp();
    });
    this.#subscription.on('error', (error) => this.end(error.message));
    this.#subscription.on('end', () => this.end());
    this.#subscription.on('close', () => this.end());
    const untilEnd = { signal: this.#ended.signal };
    signal.addEventListener('abort', () => this.end(), untilEnd);
    context.silence.addEventListener('silent', () => this.end('the event store stopped answering'), untilEnd);
    context.silence.addEventListener('moved', () => this.end('another node may lead'), untilEnd);
  }

  /**
   * The held events, as soon as there are any; `undefined` if no more will come. With an `end`: an empty
   * batch as soon as there are no more events up to it.
   */
  async nextBatch(end?: Position): Promise<readonly Item[] | undefined> {
    this.waitingSince = performance.now();
    while (this.#held.length === 0) {
      if (end !== undefined && (this.#caughtUp || this.last >= end)) return [];
      if (this.#ended.signal.aborted) return undefined;
      await once(this.#changes, 'change');
    }
    this.waitingSince = Number.POSITIVE_INFINITY;
    const batch = this.#held;
    this.#held = [];
    if (this.#subscription.isPaused()) this.#subscription.resume();
    return batch;
  }

  /** Ends the session; `nextBatch` still returns what is held. */
  end(reason = this.reason): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    this.reason = reason;
    this.#subscription.unsubscribe().catch(() => undefined);
    this.#notify();
  }

  #receive(resolved: AllStreamResolvedEvent): void {
    if (this.#ended.signal.aborted) return;
    const item = this.#selection.itemOf(resolved);
    this.#context.onReceived(item?.position);
    if (item !== undefined && item.position > this.last) {
      this.last = item.position;
      this.#held.push(item);
      if (this.#held.length >= maxHeldEvents) this.#subscription.pause();
      if (this.#held.length === 1) this.#notify();
    }
    if (this.#serverCaughtUp) this.#checkCaughtUp();
  }

  /** The server has searched up to a position; events that it sent before may still be in the client's buffer. */
  #searchedTo(position: Position): void {
    this.#context.onReceived();
    if (this.waitingSince < Number.POSITIVE_INFINITY) this.waitingSince = performance.now();
    if (this.#subscription.readableLength > 0 || position <= this.last) return;
    this.last = position;
    this.#notify();
  }

  #checkCaughtUp(): void {
    if (this.#caughtUp || this.#subscription.readableLength > 0) return;
    this.#caughtUp = true;
    this.#notify();
  }

  #notify(): void {
    this.#changes.dispatchEvent(new Event('change'));
  }
}
