import type { Client } from 'pg';
import type { Logger } from 'pino';
import { type DomainEvent, readModelCategories } from '../../contracts/events/index.ts';
import type { Misfit } from '../../services/followers/log-match.ts';
import {
  BeginAgain,
  type Beginning,
  type Handler,
  type Obstacle,
  type Task,
} from '../../services/followers/task.ts';
import { decodeUncached } from '../../services/log/codec.ts';
import type { EventLog, Position, RecordedEvent } from '../../services/log/log.ts';
import type { Purpose } from '../../services/postgres/connect.ts';
import { projectionsByType } from '../index.ts';
import type { Projection } from '../projection.ts';
import { BatchProjector, type Committed } from '../runner/batch.ts';
import { maxBulkReads } from '../runner/bulk.ts';
import { History } from '../runner/history.ts';
import { emptyReadModels } from '../runner/read-models-reset.ts';
import { writingSession } from '../runner/session.ts';
import { SkippableEvents } from '../runner/skippable-events.ts';
import type { FillLimit } from './fill-limit.ts';
import type { FilledSet } from './sets.ts';

export interface FillOptions {
  readonly set: FilledSet;
  readonly log: EventLog;
  readonly logger: Logger;
  readonly limit: FillLimit;
  /** How many events a transaction may hold, if fewer than usual. */
  readonly maxBatchEvents?: number | undefined;
  /** Called after each transaction with the number of its events. */
  readonly onFilled?: ((events: number) => void) | undefined;
}

/** Fills a set of read models, as the projector fills the current one, but without pushes. */
export class FillTask implements Task {
  readonly name: string;
  readonly part = 'rebuild';
  readonly prefixes = readModelCategories;
  readonly session: Purpose;
  readonly #options: FillOptions;
  readonly #projections: ReadonlyMap<string, Projection<DomainEvent>>;
  readonly #skippable: SkippableEvents;
  #historyApplied = false;

  constructor(options: FillOptions) {
    const { follower, connections, schema } = options.set;
    this.name = follower;
    this.session = writingSession(connections, schema);
    this.#options = options;
    this.#skippable = new SkippableEvents(options.log, options.logger, decodeUncached);
    this.#projections = projectionsByType(options.log.remembersIds === 'recently');
  }

  async reset(client: Client, misfit: Misfit): Promise<void> {
    if (misfit === 'went back') await emptyReadModels(client, this.#options.set.schema);
  }

  async begin({ client, connect, held }: Beginning): Promise<Handler> {
    await this.#skippable.refresh();
    const batches = new BatchProjector({
      client,
      reader: await connect(),
      projections: this.#projections,
      name: this.name,
      held,
      pushes: undefined,
      maxEvents: this.#options.maxBatchEvents,
      maxReads: maxBulkReads,
    });
    this.#options.limit.filled(held.position);
    const filling = new Filling(batches, this.#skippable, this.#options);
    if (!this.#historyApplied) {
      const applied = await filling.applyHistory(held.position);
      this.#historyApplied = true;
      // The subscription begins where the history ends.
      if (applied) throw new BeginAgain();
    }
    return filling;
  }

  obstacleOf(error: unknown): Obstacle | undefined {
    return this.#skippable.obstacleOf(error);
  }
}

/** A longer rest would let the log grow faster than the next set. */
const maxRestMs = 1_000;

class Filling implements Handler {
  readonly #batches: BatchProjector;
  readonly #limit: FillLimit;
  readonly #history: History;
  #committed: ((checkpoint: Position, events: number) => void) | undefined;
  #ended = new AbortController().signal;

  constructor(batches: BatchProjector, skippable: SkippableEvents, { limit, log, onFilled }: FillOptions) {
    this.#batches = batches;
    this.#limit = limit;
    const committed = ({ tick: { checkpoint }, count }: Committed) => {
      limit.filled(checkpoint);
      this.#committed?.(checkpoint, count);
      onFilled?.(count);
    };
    this.#history = new History({ log, batches, skippable, committed });
  }

  /**
   * Applies what the log holds already, up to the limit.
   * @returns whether it applied anything
   */
  async applyHistory(after: Position): Promise<boolean> {
    const limit = this.#limit;
    await this.#history.applyRange({
      after,
      upTo: () => limit.limit,
      ended: () => limit.closed,
      restMs: (tookMs) => this.restMs(tookMs),
    });
    return limit.position !== after;
  }

  async apply(
    records: readonly RecordedEvent[],
    committed: (checkpoint: Position, events: number) => void,
  ): Promise<void> {
    const limit = this.#limit;
    this.#committed = committed;
    for (let rest = records; rest.length > 0 && !limit.closed; ) {
      const allowed = rest.filter(({ position }) => position <= limit.limit);
      rest = rest.slice(allowed.length);
      if (allowed.length > 0) {
        await this.#history.applyRecords(allowed);
        await this.#batches.finish();
      } else await limit.raised(this.#ended);
    }
  }

  /** While the system is in use, half of the time is left to it. */
  async restMs(tookMs: number): Promise<number> {
    return this.#limit.moving ? Math.min(tookMs, maxRestMs) : 0;
  }

  async beside(signal: AbortSignal): Promise<void> {
    this.#ended = signal;
  }
}
