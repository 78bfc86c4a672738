import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Logger } from 'pino';
import { categories, type DomainEvent } from '../../contracts/events/index.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { Follower } from '../../services/followers/follower.ts';
import type { Misfit } from '../../services/followers/log-match.ts';
import type { Beginning, Handler, Obstacle, Task } from '../../services/followers/task.ts';
import { UnreadableEvent } from '../../services/log/codec.ts';
import { LogChanged } from '../../services/log/identity.ts';
import { type EventLog, LogFailure } from '../../services/log/log.ts';
import { Skips } from '../../services/log/skips.ts';
import type { DatabaseConfig } from '../../services/postgres/connect.ts';
import { projectionsByType } from '../index.ts';
import type { Projection } from '../projection.ts';
import { BatchProjector, ProjectionFault } from './batch.ts';
import { Projecting } from './projecting.ts';
import { resetReadModels } from './read-models-reset.ts';

export interface ProjectorOptions {
  readonly log: EventLog;
  /** Where the read models are. */
  readonly database: DatabaseConfig;
  readonly bus: Bus;
  readonly logger: Logger;
}

/** The follower that keeps the read models up to date with the log. */
export type Projector = Follower;

/** How often to look whether an event that cannot be applied was skipped. */
const skipEveryMs = 500;

/**
 * Starts a projector on a migrated database. It catches up by itself, also if the database cannot be reached yet.
 * Of all projectors on a database one works and the others stand by.
 */
export async function startProjector({ log, database, bus, logger }: ProjectorOptions): Promise<Projector> {
  const task = new ProjectionTask({ log, database, bus, logger: logger.child({ part: 'projector' }) });
  const projector = new Follower({ task, log, database, logger });
  projector.start();
  return projector;
}

/** What a projector does with the log. */
class ProjectionTask implements Task {
  readonly name = 'read';
  readonly part = 'projector';
  readonly prefixes = categories;
  /**
   * A batch writes 10,000 rows at most, which takes a busy disk some seconds. What is lost in a crash is
   * made again, so commits need not wait for the disk; every statement finds its rows by a key, so a plan
   * without an index is never the right one.
   */
  readonly session = {
    name: 'bubble-im projector',
    statementTimeoutMs: 15_000,
    settings: {
      synchronous_commit: 'off',
      enable_seqscan: 'off',
      enable_hashjoin: 'off',
      enable_mergejoin: 'off',
      plan_cache_mode: 'force_generic_plan',
      jit: 'off',
    },
  };
  readonly #options: ProjectorOptions;
  readonly #projections: ReadonlyMap<string, Projection<DomainEvent>>;
  #skips: Skips;

  constructor(options: ProjectorOptions) {
    this.#options = options;
    this.#skips = new Skips(options.log);
    this.#projections = projectionsByType(options.log.remembersIds === 'recently');
  }

  reset(client: Client, misfit: Misfit): Promise<void> {
    return resetReadModels(client, this.#options.log, misfit);
  }

  async begin({ client, held }: Beginning): Promise<Handler> {
    const { log, bus, database, logger } = this.#options;
    // Listeners may have missed what the projector before committed and did not announce.
    bus.publish({ checkpoint: held.position, fence: held.fence, batch: held.batch }, []);
    // Later decisions come with the events, at their places in the log.
    this.#skips = new Skips(log);
    await this.#skips.refresh();
    const batches = await BatchProjector.over(client, this.#projections, held);
    return new Projecting({ batches, skips: this.#skips, bus, database, logger });
  }

  /**
   * Leaves the work to others, of which a newer program may apply the event, until an operator has decided to
   * skip it, or the log is another. A program that has met an event which it does not know is not to be relied
   * on afterwards, even if another one goes on from there.
   */
  obstacleOf(error: unknown): Obstacle | undefined {
    if (!(error instanceof UnreadableEvent || error instanceof ProjectionFault)) return undefined;
    const { message: reason, event } = error;
    // No more of the error than this: an event and its cause may quote what somebody wrote.
    this.#options.logger.fatal(
      { reason, position: event.position },
      `the read models stop before an event that this program cannot take in: start a newer program, or pass the event over by npm run skip -- ${event.position} --why "…"`,
    );
    return { reason, removed: (signal) => this.#skipped(error, signal) };
  }

  async #skipped({ event }: UnreadableEvent | ProjectionFault, signal: AbortSignal): Promise<void> {
    const { log, logger } = this.#options;
    const { generation } = log;
    while (!signal.aborted && log.generation === generation && !this.#skips.has(event)) {
      await delay(skipEveryMs, undefined, { signal }).catch(() => undefined);
      try {
        await this.#skips.refresh();
      } catch (error) {
        if (!(error instanceof LogFailure || error instanceof LogChanged)) throw error;
      }
    }
    const why = this.#skips.reason(event);
    if (!signal.aborted && why !== undefined) {
      logger.warn({ position: event.position, why }, 'the event is passed over');
    }
  }
}
