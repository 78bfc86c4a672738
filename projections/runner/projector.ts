import type { Client } from 'pg';
import type { Logger } from 'pino';
import { type DomainEvent, readModelCategories } from '../../contracts/events/index.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { Follower } from '../../services/followers/follower.ts';
import type { Misfit } from '../../services/followers/log-match.ts';
import type { Beginning, Handler, Obstacle, Task } from '../../services/followers/task.ts';
import { decodeUncached } from '../../services/log/codec.ts';
import { type EventLog, type Position, startOfLog } from '../../services/log/log.ts';
import type { DatabaseConfig } from '../../services/postgres/connect.ts';
import { projectionsByType } from '../index.ts';
import type { Projection } from '../projection.ts';
import { BatchProjector } from './batch.ts';
import { maxBulkReads } from './bulk.ts';
import { Projecting, type QuietHistory } from './projecting.ts';
import type { PushOptions } from './push-book.ts';
import { resetReadModels } from './read-models-reset.ts';
import { writingSession } from './session.ts';
import { SkippableEvents } from './skippable-events.ts';

export interface ProjectorOptions {
  readonly log: EventLog;
  /** Where the read models are. */
  readonly database: DatabaseConfig;
  readonly bus: Bus;
  readonly logger: Logger;
}

/** The follower that keeps the read models up to date with the log. */
export type Projector = Follower;

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
  readonly prefixes = readModelCategories;
  readonly session = writingSession('bubble-im projector', 'read');
  readonly #options: ProjectorOptions;
  readonly #projections: ReadonlyMap<string, Projection<DomainEvent>>;
  readonly #skippable: SkippableEvents;

  constructor(options: ProjectorOptions) {
    this.#options = options;
    this.#skippable = new SkippableEvents(options.log, options.logger);
    this.#projections = projectionsByType(options.log.remembersIds === 'recently');
  }

  reset(client: Client, misfit: Misfit): Promise<void> {
    return resetReadModels(client, this.#options.log, misfit);
  }

  async begin({ client, connect, held }: Beginning): Promise<Handler> {
    const { bus, database, log, logger } = this.#options;
    // Listeners may have missed what the projector before committed and did not announce.
    bus.publish({ checkpoint: held.position, fence: held.fence, batch: held.batch }, []);
    await this.#skippable.refresh();
    const projections = this.#projections;
    const { name } = this;
    const pushes = await pushOptions(client);
    const batches = new BatchProjector({ client, projections, name, held, pushes });
    const quiet = await this.#quietHistory({ client, connect, held }, pushes.after);
    return new Projecting({ log, batches, quiet, skippable: this.#skippable, bus, database, logger });
  }

  /** What lies before `quiet_until` is applied as history: there may be millions of events, and none pushes anything. */
  async #quietHistory(
    { client, connect, held }: Beginning,
    upTo: Position,
  ): Promise<QuietHistory | undefined> {
    if (held.position >= upTo) return undefined;
    const { log, logger } = this.#options;
    const batches = new BatchProjector({
      ...{ client, held, name: this.name, projections: this.#projections },
      reader: await connect(),
      pushes: undefined,
      maxReads: maxBulkReads,
    });
    const skippable = new SkippableEvents(log, logger, decodeUncached);
    await skippable.refresh();
    return { batches, skippable, after: held.position, upTo };
  }

  obstacleOf(error: unknown): Obstacle | undefined {
    return this.#skippable.obstacleOf(error);
  }
}

/** Events up to `quiet_until` push nothing: they did so before the read models were emptied. */
async function pushOptions(
  client: Client,
): Promise<Omit<PushOptions, 'epoch'> & { readonly after: Position }> {
  const { rows } = await client.query<{ after: Position; names: boolean }>(
    `select quiet_until as after, names_messages as names from followers.checkpoint where name = 'read'`,
  );
  return { after: rows[0]?.after ?? startOfLog, namesMessages: rows[0]?.names === true };
}
