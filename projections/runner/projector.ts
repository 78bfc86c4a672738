import type { Client } from 'pg';
import type { Logger } from 'pino';
import { type DomainEvent, readModelCategories } from '../../contracts/events/index.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { Follower } from '../../services/followers/follower.ts';
import type { Misfit } from '../../services/followers/log-match.ts';
import type { Beginning, Handler, Obstacle, Task } from '../../services/followers/task.ts';
import { type EventLog, type Position, startOfLog } from '../../services/log/log.ts';
import type { DatabaseConfig } from '../../services/postgres/connect.ts';
import { projectionsByType } from '../index.ts';
import type { Projection } from '../projection.ts';
import { BatchProjector } from './batch.ts';
import { Projecting } from './projecting.ts';
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

  async begin({ client, held }: Beginning): Promise<Handler> {
    const { bus, database, logger } = this.#options;
    // Listeners may have missed what the projector before committed and did not announce.
    bus.publish({ checkpoint: held.position, fence: held.fence, batch: held.batch }, []);
    await this.#skippable.refresh();
    const { name } = this;
    const pushes = await pushOptions(client);
    const batches = new BatchProjector({ client, projections: this.#projections, name, held, pushes });
    return new Projecting({ batches, skippable: this.#skippable, bus, database, logger });
  }

  obstacleOf(error: unknown): Obstacle | undefined {
    return this.#skippable.obstacleOf(error);
  }
}

/** Events up to `quiet_until` push nothing: they did so before the read models were emptied. */
async function pushOptions(client: Client): Promise<Omit<PushOptions, 'epoch'>> {
  const { rows } = await client.query<{ after: Position; names: boolean }>(
    `select quiet_until as after, names_messages as names from followers.checkpoint where name = 'read'`,
  );
  return { after: rows[0]?.after ?? startOfLog, namesMessages: rows[0]?.names === true };
}
