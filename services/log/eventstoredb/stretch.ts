import { once } from 'node:events';
import {
  type AllStreamResolvedEvent,
  type AllStreamSubscription,
  START,
  streamNameFilter,
} from '@eventstore/db-client';
import type { Logger } from 'pino';
import type { Continuity } from '../continuity.ts';
import type { Position, RecordedEvent } from '../log.ts';
import type { EventStoreDBConnection } from './connection.ts';
import { markOf, recordOf } from './event.ts';
import type { Heartbeat } from './heartbeat.ts';
import { positionOf, type StoredPosition, storedPositionOf } from './position.ts';
import { keepBytes } from './stored-bytes.ts';

/** The most that is held for a reader that is busy; then the server is made to wait. */
const mostHeld = 512;

/** What a subscription needs of the log it belongs to. */
export interface Source {
  readonly connection: EventStoreDBConnection;
  readonly logger: Logger;
  /** To be called at each sign of life of the server, with how far the log is seen to reach. */
  readonly heard: (position?: Position) => void;
  /** To be called with each event, and which call of `append` stored it. */
  readonly saw: (record: RecordedEvent, mark: string | undefined) => void;
  readonly continuity: Pick<Continuity, 'generation'>;
  /** Asks the server whether its log is still the one that was followed. @throws LogFailure */
  readonly check: () => Promise<void>;
  readonly server: Pick<Heartbeat, 'suspect' | 'back'>;
  /** Fires `silent` when the server has stopped answering: what is subscribed then hears no more. */
  readonly silence: EventTarget;
}

/** One subscription of the client, from its start until it ends for whatever reason. */
export class Stretch {
  /** Up to where everything was given out or is held, or is of no interest. */
  last: Position;
  /** Since when the reader waits for the server; no time while it has what to do. */
  waitingSince = Number.POSITIVE_INFINITY;
  reason = 'it ended';
  readonly #source: Source;
  readonly #subscription: AllStreamSubscription;
  readonly #wake = new EventTarget();
  #held: RecordedEvent[] = [];
  #reachedEnd = false;
  /** Whether what was given out and is held reached the end of the log at some time. */
  #caughtUp = false;
  readonly #over = new AbortController();

  /** Ends with the signal, and when the server has stopped answering. */
  constructor(source: Source, after: Position, prefixes: readonly string[] | undefined, signal: AbortSignal) {
    this.#source = source;
    this.last = after;
    const checkpoints = {
      maxSearchWindow: 256,
      checkpointInterval: 4,
      checkpointReached: (_: AllStreamSubscription, position: StoredPosition) =>
        this.#pass(positionOf(position)),
    };
    const filter =
      prefixes === undefined
        ? streamNameFilter({ regex: '^[^$]', ...checkpoints })
        : streamNameFilter({ prefixes: [...prefixes], ...checkpoints });
    const fromPosition = storedPositionOf(after) ?? START;
    this.#subscription = keepBytes(source.connection.subscribeToAll({ fromPosition, filter }));
    this.#subscription.on('data', (resolved) => this.#hold(resolved));
    this.#subscription.on('caughtUp', () => {
      this.#reachedEnd = true;
      this.#lookWhetherCaughtUp();
    });
    this.#subscription.on('error', (error) => this.end(error.message));
    this.#subscription.on('end', () => this.end());
    this.#subscription.on('close', () => this.end());
    const over = { signal: this.#over.signal };
    signal.addEventListener('abort', () => this.end(), over);
    source.silence.addEventListener('silent', () => this.end('the event store stopped answering'), over);
  }

  /**
   * What has been held, as soon as there is something; `undefined` when no more will come. With an
   * `end`, nothing as soon as there is no more up to there.
   */
  async take(end?: Position): Promise<readonly RecordedEvent[] | undefined> {
    this.waitingSince = performance.now();
    while (this.#held.length === 0) {
      if (end !== undefined && (this.#caughtUp || this.last >= end)) return [];
      if (this.#over.signal.aborted) return undefined;
      await once(this.#wake, 'change');
    }
    this.waitingSince = Number.POSITIVE_INFINITY;
    const batch = this.#held;
    this.#held = [];
    if (this.#subscription.isPaused()) this.#subscription.resume();
    return batch;
  }

  /** Ends it; what is held can still be taken. */
  end(reason = this.reason): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.reason = reason;
    this.#subscription.unsubscribe().catch(() => undefined);
    this.#wake.dispatchEvent(new Event('change'));
  }

  #hold(resolved: AllStreamResolvedEvent): void {
    if (this.#over.signal.aborted) return;
    const record = recordOf(resolved);
    this.#source.heard(record?.position);
    if (record) this.#source.saw(record, markOf(resolved));
    if (record !== undefined && record.position > this.last) {
      this.last = record.position;
      this.#held.push(record);
      if (this.#held.length >= mostHeld) this.#subscription.pause();
      if (this.#held.length === 1) this.#wake.dispatchEvent(new Event('change'));
    }
    if (this.#reachedEnd) this.#lookWhetherCaughtUp();
  }

  /** The server looked as far as a position; what it sent before may still be in the client's buffer. */
  #pass(position: Position): void {
    this.#source.heard();
    if (this.waitingSince < Number.POSITIVE_INFINITY) this.waitingSince = performance.now();
    if (this.#subscription.readableLength > 0 || position <= this.last) return;
    this.last = position;
    this.#wake.dispatchEvent(new Event('change'));
  }

  #lookWhetherCaughtUp(): void {
    if (this.#caughtUp || this.#subscription.readableLength > 0) return;
    this.#caughtUp = true;
    this.#wake.dispatchEvent(new Event('change'));
  }
}
