import { completeSet } from '../../../projections/rebuild/empty-set.ts';
import { readModelsVersion } from '../../../projections/rebuild/version.ts';
import { writingSession } from '../../../projections/runner/session.ts';
import { cancelledBy } from '../../postgres/cancelling.ts';
import { openClient, type Purpose } from '../../postgres/connect.ts';
import { type FillOptions, fillPast, pastSession } from './fill.ts';
import { PastSchemas } from './past-schemas.ts';
import { answeredByPresent, PresentUnusable } from './present.ts';
import type { AskedSchema } from './shown.ts';

/** To make the indexes of what shows a large log takes minutes. */
const indexing: Purpose = { name: pastSession, statementTimeoutMs: 3_600_000 };

/**
 * Makes the read models of a moment in a schema of their own, beside the present ones, or finds those that were kept;
 * hands the schema's name to `use`, and drops it afterwards unless it is kept. If the present ones show the moment and
 * nothing is to be kept, hands those over first, and makes others only if they changed meanwhile. Of two that keep one
 * moment at once the second waits for the first, and uses what it kept. What is asked from the log alone is made anew,
 * unless what was kept was made of the whole log too. They are made by what makes the present ones, of
 * the events that concern the scope; without an index of the log, of all events.
 * @throws TooManyKept, UnreadableEvent, ProjectionFault, LogFailure, the signal's reason, what the database throws
 */
export async function withPastReadModels<Result>(
  options: FillOptions,
  use: (schema: string) => Promise<Result>,
): Promise<Result> {
  const { database, fromLog, log, moment, scope, keep, signal, onLost } = options;
  const epoch = (await log.identity())?.epoch ?? '';
  const client = await openClient(database, writingSession(pastSession, 'pg_temp'));
  try {
    const schemas = new PastSchemas(client);
    await schemas.dropLeftovers();
    const asked: AskedSchema = { moment: moment.name, epoch, version: readModelsVersion, fromLog, scope };
    const present = { queries: client, log, moment, version: readModelsVersion };
    const answered = keep || fromLog ? undefined : await answeredByPresent(present, use);
    if (answered) return answered.result;
    if (keep) await schemas.awaitTurn(asked, signal);
    const kept = fromLog && !keep ? undefined : await schemas.useKept(asked);
    if (kept !== undefined) return await use(kept);
    const cancelling = { client, database, signal };
    const make = async (usePresent: boolean): Promise<Result> => {
      const schema = await cancelledBy(cancelling, () => schemas.make(keep));
      let done = false;
      try {
        const filled = await cancelledBy(cancelling, () => fillPast(options, client, schema, usePresent));
        // For one question the keys are enough: it takes less than to make the other indexes.
        if (keep || filled === 'everything') await complete(options, schema);
        done = true;
        if (keep) await schemas.keep(schema, asked, filled);
        return await use(schema);
      } finally {
        if (!keep || !done) await schemas.drop(schema);
      }
    };
    return await make(true).catch((error: unknown) => {
      if (!(error instanceof PresentUnusable)) throw error;
      if (error.why === 'lost messages') onLost?.();
      return make(false);
    });
  } finally {
    await client.end();
  }
}

/** Makes the indexes that queries use. */
async function complete(
  { database, signal }: Pick<FillOptions, 'database' | 'signal'>,
  schema: string,
): Promise<void> {
  const client = await openClient(database, indexing);
  try {
    await cancelledBy({ client, database, signal }, () => completeSet(client, schema));
  } finally {
    await client.end();
  }
}
