import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Bus } from '../../services/bus/bus.ts';
import { BeginAgain, type Handler } from '../../services/followers/task.ts';
import type { EventLog, Position, RecordedEvent } from '../../services/log/log.ts';
import { batches as measuredBatches, projections } from '../../services/measurements.ts';
import type { DatabaseConfig } from '../../services/postgres/connect.ts';
import type { BatchProjector } from './batch.ts';
import { History } from './history.ts';
import { expirePushes } from './push-expiry.ts';
import type { SkippableEvents } from './skippable-events.ts';

const expiryEveryMs = 600_000;

/** A part of the log that pushes nothing. */
export interface QuietHistory {
  readonly batches: BatchProjector;
  readonly skippable: SkippableEvents;
  /** It begins strictly after this position. */
  readonly after: Position;
  /** Its last position. */
  readonly upTo: Position;
}

export interface ProjectingOptions {
  readonly log: EventLog;
  /** What is applied first of all. */
  readonly quiet: QuietHistory | undefined;
  readonly batches: BatchProjector;
  readonly skippable: SkippableEvents;
  /** Announces each commit, after it. */
  readonly bus: Bus;
  readonly database: DatabaseConfig;
  readonly logger: Logger;
}

/** A projector at work: applies records to the read models, without those that were skipped. */
export class Projecting implements Handler {
  readonly #options: ProjectingOptions;
  #ended = new AbortController().signal;

  constructor(options: ProjectingOptions) {
    this.#options = options;
  }

  /**
   * @throws UnreadableEvent and ProjectionFault, with all events before the one they name applied; BeginAgain once the
   *   quiet history is applied: the subscription then begins where that ends
   */
  async apply(
    records: readonly RecordedEvent[],
    committed: (checkpoint: Position, events: number) => void,
  ): Promise<void> {
    const { batches, bus, quiet, skippable } = this.#options;
    if (quiet && (await this.#applyQuiet(quiet, committed))) throw new BeginAgain();
    const { events, unreadable } = skippable.decode(records);
    let done = 0;
    let begun = performance.now();
    await batches.apply(events, ({ tick, rows, count }) => {
      committed(tick.checkpoint, count);
      bus.publish(tick, rows);
      measuredBatches.report({ events: count, pushes: rows.length });
      if (projections.wanted) {
        const applied = events.slice(done, done + count);
        const requests = new Set(applied.map(({ metadata }) => metadata.$correlationId));
        projections.report({ ms: performance.now() - begun, requests });
      }
      done += count;
      begun = performance.now();
    });
    if (unreadable !== undefined) throw unreadable;
  }

  /** @returns whether there was anything to apply */
  async #applyQuiet(
    { batches, skippable, after, upTo }: QuietHistory,
    committed: (checkpoint: Position, events: number) => void,
  ): Promise<boolean> {
    const { bus, log } = this.#options;
    let applied = false;
    const history = new History({
      ...{ log, batches, skippable },
      committed: ({ tick, count }) => {
        applied = true;
        committed(tick.checkpoint, count);
        bus.publish(tick, []);
        measuredBatches.report({ events: count, pushes: 0 });
      },
    });
    await history.applyRange({ after, upTo: () => upTo, ended: () => this.#ended.aborted });
    return applied;
  }

  async beside(signal: AbortSignal): Promise<void> {
    this.#ended = signal;
    const { database, logger } = this.#options;
    while (!signal.aborted) {
      await delay(expiryEveryMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        const count = await expirePushes(database, signal);
        if (count > 0) logger.debug({ count }, 'pushes past their time were deleted');
      } catch (error) {
        logger.warn({ err: error }, 'pushes past their time could not be deleted; trying again later');
      }
    }
  }
}
