import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Obstacle } from '../../services/followers/task.ts';
import { type Decoded, tryDecode, UnreadableEvent } from '../../services/log/codec.ts';
import { LogChanged } from '../../services/log/identity.ts';
import { type EventLog, LogFailure, type RecordedEvent } from '../../services/log/log.ts';
import { Skips } from '../../services/log/skips.ts';
import { ProjectionFault } from './projection-fault.ts';

/** How often to look whether an event that cannot be applied was skipped. */
const skipEveryMs = 500;

/** Which events are applied: those that were not skipped. Before one that cannot be applied the projecting stops. */
export class SkippableEvents {
  readonly #log: EventLog;
  readonly #logger: Logger;
  readonly #decode: (record: RecordedEvent) => Decoded | UnreadableEvent;
  #skips: Skips;

  /** @param decode `decodeUncached` for a reader of millions of records that no other reader of the process gets */
  constructor(log: EventLog, logger: Logger, decode = tryDecode) {
    this.#log = log;
    this.#logger = logger;
    this.#decode = decode;
    this.#skips = new Skips(log);
  }

  /** Reads all decisions to skip an event. Later ones come with the events, at their places in the log. */
  async refresh(): Promise<void> {
    this.#skips = new Skips(this.#log);
    await this.#skips.refresh();
  }

  /** The events of the records, without skipped ones, up to the first that cannot be read. */
  decode(records: readonly RecordedEvent[]): { events: Decoded[]; unreadable: UnreadableEvent | undefined } {
    const events: Decoded[] = [];
    for (const record of records) {
      this.#skips.apply(record);
      if (this.#skips.has(record)) continue;
      const event = this.#decode(record);
      if (event instanceof UnreadableEvent) return { events, unreadable: event };
      events.push(event);
    }
    return { events, unreadable: undefined };
  }

  /**
   * The obstacle of an error that names an event. Leaves the work to others, of which a newer program may apply the
   * event, until an operator has decided to skip it, or the log is another. A program that has met an event which it
   * does not know is not to be relied on afterwards, even if another one goes on from there.
   */
  obstacleOf(error: unknown): Obstacle | undefined {
    if (!(error instanceof UnreadableEvent || error instanceof ProjectionFault)) return undefined;
    const { message: reason, event } = error;
    // No more of the error than this: an event and its cause may quote what somebody wrote.
    this.#logger.fatal(
      { reason, position: event.position },
      `the read models stop before an event that this program cannot take in: start a newer program, or pass the event over by npm run skip -- ${event.position} --why "…"`,
    );
    const { position } = event;
    return { reason, position, removed: (signal) => this.#skipped(error, signal) };
  }

  async #skipped({ event }: UnreadableEvent | ProjectionFault, signal: AbortSignal): Promise<void> {
    const { generation } = this.#log;
    while (!signal.aborted && this.#log.generation === generation && !this.#skips.has(event)) {
      await delay(skipEveryMs, undefined, { signal }).catch(() => undefined);
      try {
        await this.#skips.refresh();
      } catch (error) {
        if (!(error instanceof LogFailure || error instanceof LogChanged)) throw error;
      }
    }
    const why = this.#skips.reason(event);
    if (!signal.aborted && why !== undefined) {
      this.#logger.warn({ position: event.position, why }, 'the event is passed over');
    }
  }
}
