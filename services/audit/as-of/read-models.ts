import type { Client } from 'pg';
import { type DomainEvent, readModelCategories } from '../../../contracts/events/index.ts';
import { projectionsByType } from '../../../projections/index.ts';
import { BatchProjector } from '../../../projections/runner/batch.ts';
import { writingSession } from '../../../projections/runner/session.ts';
import type { Decoded } from '../../log/codec.ts';
import { type EventLog, startOfLog } from '../../log/log.ts';
import { type DatabaseConfig, openClient } from '../../postgres/connect.ts';
import { readModels } from '../../read-models/read-models.ts';
import { AuditSearch } from '../index/search.ts';
import { allEvents, mergedStreams } from '../merged-streams.ts';
import type { Moment } from '../moment.ts';
import { abortable } from '../readable-log.ts';
import { PastSchemas } from './past-schemas.ts';
import { type Scope, streamsOf } from './scope.ts';

export interface PastReadModelsOptions {
  readonly log: EventLog;
  readonly database: DatabaseConfig;
  readonly moment: Moment;
  readonly scope: Scope;
  /** Whether the read models stay for further questions about the moment. */
  readonly keep: boolean;
  /** Ends the making. */
  readonly signal: AbortSignal;
  /** Called before all of the log is read, because there is no index of it. @throws what forbids it */
  readonly onWholeLog: () => void;
  /** Called with the number of events that were applied. */
  readonly onApplied?: ((events: number) => void) | undefined;
}

/** Events are handed to the projections in batches of this size, as the log gives them to a projector. */
const batchSize = 500;

/**
 * Makes the read models of a moment in a schema of their own, beside the present ones, or finds those that were kept;
 * hands the schema's name to `use`, and drops it afterwards unless it is kept. They are made by what makes the present
 * ones, of the events that concern the scope; without an index of the log, of all events.
 * @throws UnreadableEvent, ProjectionFault, LogFailure, the signal's reason, what the database throws
 */
export async function withPastReadModels<Result>(
  options: PastReadModelsOptions,
  use: (schema: string) => Promise<Result>,
): Promise<Result> {
  const { database, log, moment, scope, keep } = options;
  const epoch = (await log.identity())?.epoch ?? '';
  const client = await openClient(database, writingSession('bubble-im as-of', 'pg_temp'));
  try {
    const schemas = new PastSchemas(client);
    await schemas.dropLeftovers();
    const kept = await schemas.findKept({
      moment: moment.name,
      epoch,
      people: [...scope.people, ...scope.profiles],
    });
    if (kept !== undefined) return await use(kept);
    const schema = await schemas.make(Object.values(readModels).map(({ name }) => name));
    let done = false;
    try {
      const whole = await fill(options, client, schema);
      done = true;
      if (keep) {
        const people = whole ? undefined : [...scope.people];
        await schemas.keep(schema, { moment: moment.name, epoch, people });
      }
      return await use(schema);
    } finally {
      if (!keep || !done) await schemas.drop(schema);
    }
  } finally {
    await client.end();
  }
}

/** Fills the tables of a schema. @returns whether all of the log was read */
async function fill(options: PastReadModelsOptions, client: Client, schema: string): Promise<boolean> {
  const { log, moment, scope, signal, onWholeLog, onApplied } = options;
  const reading = abortable(log, signal);
  const coverage = await new AuditSearch(client).coverage(log);
  if (coverage === undefined) onWholeLog();
  const events =
    coverage === undefined
      ? allEvents(reading, readModelCategories, moment)
      : mergedStreams(
          reading,
          await streamsOf(reading, { queries: client, coverage }, scope, moment),
          moment,
        );
  await client.query("select set_config('search_path', $1, false)", [schema]);
  const projector = new BatchProjector({
    client,
    projections: projectionsByType(log.remembersIds === 'recently'),
    name: schema,
    held: { fence: 1, batch: 0, position: startOfLog, eventId: null, installation: null, epoch: '' },
    pushesAfter: undefined,
  });
  let batch: Decoded<DomainEvent>[] = [];
  const apply = async () => {
    await projector.apply(batch, ({ count }) => onApplied?.(count));
    batch = [];
  };
  for await (const event of events) {
    batch.push(event);
    if (batch.length >= batchSize) await apply();
  }
  await apply();
  return coverage === undefined;
}
