import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type AllStreamResolvedEvent,
  type AllStreamSubscription,
  START,
  streamNameFilter,
} from '@eventstore/db-client';
import type { Logger } from 'pino';
import type { EventStoreDBConnection } from './eventstoredb-connection.ts';
import { recordOf } from './eventstoredb-event.ts';
import { positionOf, type StoredPosition, storedPositionOf } from './eventstoredb-position.ts';
import type { Position, RecordedEvent } from './log.ts';

/** The most that is held for a reader that is busy; then the server is made to wait. */
const mostHeld = 512;

/** How long to wait before subscribing again, in milliseconds, when the last time gave nothing. */
const pauses = [0, 20, 100, 250, 500, 1000];

/** What a subscription needs of the log it belongs to. */
export interface Source {
  readonly connection: EventStoreDBConnection;
  readonly logger: Logger;
  /** To be called at each sign of life of the server, with how far the log is seen to reach. */
  readonly heard: (position?: Position) => void;
  /** Fires `silent` when the server has stopped answering: what is subscribed then hears no more. */
  readonly silence: EventTarget;
}

/**
 * Follows the log after a position, for ever, in batches of what had gathered. The server drops
 * live subscriptions as soon as a reader lags by 32 events, so that going on from the last position
 * is an ordinary thing: it is done at once, and only repeated failing is waited for.
 */
export async function* follow(
  source: Source,
  after: Position,
  prefixes: readonly string[] | undefined,
  signal: AbortSignal,
): AsyncGenerator<readonly RecordedEvent[], void, undefined> {
  let last = after;
  let fruitless = 0;
  while (!signal.aborted) {
    const stretch = new Stretch(source, last, prefixes);
    const end = () => stretch.end();
    signal.addEventListener('abort', end, { once: true });
    source.silence.addEventListener('silent', end, { once: true });
    try {
      for (;;) {
        const batch = await stretch.take();
        if (batch === undefined || signal.aborted) break;
        yield batch;
      }
    } finally {
      signal.removeEventListener('abort', end);
      source.silence.removeEventListener('silent', end);
      stretch.end();
    }
    fruitless = stretch.last > last ? 0 : fruitless + 1;
    last = stretch.last;
    if (signal.aborted) return;
    const pause = pauses[Math.min(fruitless, pauses.length - 1)] ?? 0;
    source.logger.debug(
      { after: last, pause, reason: stretch.reason },
      'the event store ended a subscription',
    );
    if (pause > 0) await delay(pause, undefined, { signal }).catch(() => undefined);
  }
}

/** One subscription of the client, from its start until it ends for whatever reason. */
class Stretch {
  /** Up to where everything was given out or held, or is of no interest. */
  last: Position;
  reason = 'ended';
  readonly #source: Source;
  readonly #subscription: AllStreamSubscription;
  readonly #wake = new EventTarget();
  #held: RecordedEvent[] = [];
  #ended = false;

  constructor(source: Source, after: Position, prefixes: readonly string[] | undefined) {
    this.#source = source;
    this.last = after;
    const checkpoints = {
      maxSearchWindow: 256,
      checkpointInterval: 4,
      checkpointReached: (subscription: AllStreamSubscription, position: StoredPosition) => {
        source.heard();
        // What was sent before it has been held only when nothing is left in the client's buffer.
        if (subscription.readableLength > 0) return;
        const reached = positionOf(position);
        if (reached > this.last) this.last = reached;
      },
    };
    this.#subscription = source.connection.subscribeToAll({
      fromPosition: storedPositionOf(after) ?? START,
      filter:
        prefixes === undefined
          ? streamNameFilter({ regex: '^[^$]', ...checkpoints })
          : streamNameFilter({ prefixes: [...prefixes], ...checkpoints }),
    });
    this.#subscription.on('data', (resolved) => this.#hold(resolved));
    this.#subscription.on('error', (error) => {
      this.reason = error.message;
      this.end();
    });
    this.#subscription.on('end', () => this.end());
    this.#subscription.on('close', () => this.end());
  }

  /** What has been held, as soon as there is something; `undefined` when no more will come. */
  async take(): Promise<readonly RecordedEvent[] | undefined> {
    while (this.#held.length === 0) {
      if (this.#ended) return undefined;
      await once(this.#wake, 'change');
    }
    const batch = this.#held;
    this.#held = [];
    if (this.#subscription.isPaused()) this.#subscription.resume();
    return batch;
  }

  /** Ends it; what is held can still be taken. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#subscription.unsubscribe().catch(() => undefined);
    this.#wake.dispatchEvent(new Event('change'));
  }

  #hold(resolved: AllStreamResolvedEvent): void {
    if (this.#ended) return;
    const record = recordOf(resolved);
    this.#source.heard(record?.position);
    if (record === undefined || record.position <= this.last) return;
    this.last = record.position;
    this.#held.push(record);
    if (this.#held.length >= mostHeld) this.#subscription.pause();
    if (this.#held.length === 1) this.#wake.dispatchEvent(new Event('change'));
  }
}
