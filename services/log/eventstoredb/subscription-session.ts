import { once } from 'node:events';
import type { Logger } from 'pino';
import type { Continuity } from '../continuity.ts';
import type { Position, RecordedEvent } from '../log.ts';
import type { EventStoreDBConnection } from './connection.ts';
import type { GrpcCall } from './grpc-call.ts';
import type { Heartbeat } from './heartbeat.ts';
import { storedPositionOf } from './position.ts';
import { subscriptionRequest } from './read-request.ts';
import { decodeReadResponse, type StoredMessage } from './read-response.ts';
import type { Selection } from './selection.ts';

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

/** One subscription of the server, from its start until it ends for any reason. */
export class SubscriptionSession<Item extends { readonly position: Position }> {
  /** All events of interest up to here were returned or are held. */
  last: Position;
  /** Since when the reader has been waiting for the server; infinite while it is not waiting. */
  waitingSince = Number.POSITIVE_INFINITY;
  /** Why it ended. */
  reason = 'it ended';
  readonly #context: SubscriptionContext;
  readonly #selection: Selection<Item>;
  /** Undefined while it is being opened. */
  #call: GrpcCall | undefined;
  readonly #changes = new EventTarget();
  #held: Item[] = [];
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
    const request = subscriptionRequest(storedPositionOf(after), selection.filter);
    const receiver = {
      message: (bytes: Buffer) => this.#receive(bytes),
      ended: (failure?: Error) => this.end(failure?.message),
    };
    context.connection.openRead(request, { requiresLeader: false }, receiver).then(
      (call) => this.#opened(call),
      (error: Error) => this.end(error.message),
    );
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
    this.#call?.resume();
    return batch;
  }

  /** Ends the session; `nextBatch` still returns what is held. */
  end(reason = this.reason): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    this.reason = reason;
    this.#call?.cancel();
    this.#notify();
  }

  #opened(call: GrpcCall): void {
    if (this.#ended.signal.aborted) call.cancel();
    else this.#call = call;
  }

  #receive(bytes: Buffer): void {
    if (this.#ended.signal.aborted) return;
    const response = decodeReadResponse(bytes);
    if (response.kind === 'event') this.#receiveEvent(response.event);
    else if (response.kind === 'searched') this.#searchedTo(response.position);
    else if (response.kind === 'caught up') {
      this.#caughtUp = true;
      this.#notify();
    }
  }

  #receiveEvent(message: StoredMessage): void {
    const item = this.#selection.itemOf(message);
    this.#context.onReceived(item?.position);
    if (item === undefined || item.position <= this.last) return;
    this.last = item.position;
    this.#held.push(item);
    if (this.#held.length >= maxHeldEvents) this.#call?.pause();
    if (this.#held.length === 1) this.#notify();
  }

  /** The server has searched up to a position, and has sent all that it found. */
  #searchedTo(position: Position): void {
    this.#context.onReceived();
    if (this.waitingSince < Number.POSITIVE_INFINITY) this.waitingSince = performance.now();
    if (position <= this.last) return;
    this.last = position;
    this.#notify();
  }

  #notify(): void {
    this.#changes.dispatchEvent(new Event('change'));
  }
}
