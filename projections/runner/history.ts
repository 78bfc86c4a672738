import { setTimeout as delay } from 'node:timers/promises';
import { readModelCategories } from '../../contracts/events/index.ts';
import { LogChanged } from '../../services/log/identity.ts';
import type { EventLog, Position, RecordedEvent } from '../../services/log/log.ts';
import type { BatchProjector, Committed } from './batch.ts';
import { inBulk } from './bulk.ts';
import type { SkippableEvents } from './skippable-events.ts';

export interface HistoryOptions {
  readonly log: EventLog;
  /** With a `reader`, so that events are applied in memory while the transaction before is under way. */
  readonly batches: BatchProjector;
  readonly skippable: SkippableEvents;
  /** Called after each transaction. */
  readonly committed: (batch: Committed) => void;
}

/** Which part of the log is applied as history, and at what pace. */
export interface HistoryRange {
  /** The events come strictly after this position. */
  readonly after: Position;
  /** The last position: asked for each batch, since it may move. */
  readonly upTo: () => Position;
  /** Whether to end before that. */
  readonly ended: () => boolean;
  /** How long to rest after a batch that took `tookMs`; not at all by default. */
  readonly restMs?: (tookMs: number) => Promise<number>;
}

/** Applies what the log holds already to read models, in larger batches than those in which new events come. */
export class History {
  readonly #options: HistoryOptions;
  readonly #generation: number;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#generation = options.log.generation;
  }

  /** Applies a part of the log. @throws as `applyRecords` */
  async applyRange({ after, upTo, ended, restMs }: HistoryRange): Promise<void> {
    const { batches, log } = this.#options;
    for await (const records of inBulk(log.readAll({ after, prefixes: readModelCategories }))) {
      const begun = performance.now();
      const last = upTo();
      const wanted = records.filter(({ position }) => position <= last);
      await this.applyRecords(wanted);
      if (wanted.length < records.length || ended()) break;
      const rest = (await restMs?.(performance.now() - begun)) ?? 0;
      // A timer of 0 ms takes at least one, as long as a hundred events.
      if (rest > 0) await delay(rest);
    }
    await batches.finish();
  }

  /**
   * Applies records without those that were skipped. The last transaction may still be under way when it returns.
   * @throws LogChanged if they were read before the log changed; UnreadableEvent and ProjectionFault, with all events
   *   before the one they name applied
   */
  async applyRecords(records: readonly RecordedEvent[]): Promise<void> {
    const { batches, committed, log, skippable } = this.#options;
    if (log.generation !== this.#generation) throw new LogChanged();
    const { events, unreadable } = skippable.decode(records);
    await batches.apply(events, committed);
    if (unreadable === undefined) return;
    await batches.finish();
    throw unreadable;
  }
}
