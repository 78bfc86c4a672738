import type { Client } from 'pg';
import { readModelCategories } from '../../../contracts/events/index.ts';
import { projectionsByType } from '../../../projections/index.ts';
import { completeSet } from '../../../projections/rebuild/empty-set.ts';
import { readModelsVersion } from '../../../projections/rebuild/version.ts';
import { BatchProjector } from '../../../projections/runner/batch.ts';
import { inBulk, maxBulkReads } from '../../../projections/runner/bulk.ts';
import { writingSession } from '../../../projections/runner/session.ts';
import { type EventLog, startOfLog } from '../../log/log.ts';
import { cancelledBy } from '../../postgres/cancelling.ts';
import { type DatabaseConfig, openClient, type Purpose } from '../../postgres/connect.ts';
import { AuditSearch } from '../index/search.ts';
import { allEvents, mergedStreams } from '../merged-streams.ts';
import type { Moment } from '../moment.ts';
import { abortable } from '../readable-log.ts';
import { type AskedSchema, PastSchemas } from './past-schemas.ts';
import { answeredByPresent } from './present.ts';
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

const session = 'bubble-im as-of';

/** To make the indexes of what shows a large log takes minutes. */
const indexing: Purpose = { name: session, statementTimeoutMs: 3_600_000 };

/**
 * Makes the read models of a moment in a schema of their own, beside the present ones, or finds those that were kept;
 * hands the schema's name to `use`, and drops it afterwards unless it is kept. If the present ones show the moment and
 * nothing is to be kept, hands those over first, and makes others only if they changed meanwhile. Of two that keep one
 * moment at once the second waits for the first, and uses what it kept. They are made by what makes the present ones, of
 * the events that concern the scope; without an index of the log, of all events.
 * @throws TooManyKept, UnreadableEvent, ProjectionFault, LogFailure, the signal's reason, what the database throws
 */
export async function withPastReadModels<Result>(
  options: PastReadModelsOptions,
  use: (schema: string) => Promise<Result>,
): Promise<Result> {
  const { database, log, moment, scope, keep, signal } = options;
  const epoch = (await log.identity())?.epoch ?? '';
  const client = await openClient(database, writingSession(session, 'pg_temp'));
  try {
    const schemas = new PastSchemas(client);
    await schemas.dropLeftovers();
    const asked: AskedSchema = { moment: moment.name, epoch, version: readModelsVersion, ...scope };
    const present = { queries: client, log, moment, version: readModelsVersion };
    const answered = keep ? undefined : await answeredByPresent(present, use);
    if (answered) return answered.result;
    if (keep) await schemas.awaitTurn(asked, signal);
    const kept = await schemas.useKept(asked);
    if (kept !== undefined) return await use(kept);
    const cancelling = { client, database, signal };
    const schema = await cancelledBy(cancelling, () => schemas.make(keep));
    let done = false;
    try {
      const whole = await cancelledBy(cancelling, () => fill(options, client, schema));
      // For one question the keys are enough: it takes less than to make the other indexes.
      if (keep || whole) await complete(options, schema);
      done = true;
      if (keep) await schemas.keep(schema, asked, whole);
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
  const { database, log, moment, scope, signal, onWholeLog, onApplied } = options;
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
  const reader = await openClient(database, writingSession(session, schema));
  try {
    const projector = new BatchProjector({
      ...{ client, reader, name: schema, maxReads: maxBulkReads, pushes: undefined },
      projections: projectionsByType(log.remembersIds === 'recently'),
      held: { fence: 1, batch: 0, position: startOfLog, eventId: null, installation: null, epoch: '' },
    });
    for await (const batch of inBulk(events)) {
      await projector.apply(batch, ({ count }) => onApplied?.(count));
    }
    await projector.finish();
  } finally {
    await reader.end();
  }
  return coverage === undefined;
}

/** Makes the indexes that queries use. */
async function complete(
  { database, signal }: Pick<PastReadModelsOptions, 'database' | 'signal'>,
  schema: string,
): Promise<void> {
  const client = await openClient(database, indexing);
  try {
    await cancelledBy({ client, database, signal }, () => completeSet(client, schema));
  } finally {
    await client.end();
  }
}
