import type { Logger } from 'pino';
import { readModelCategories } from '../../contracts/events/index.ts';
import { migrate } from '../../projections/migrate.ts';
import type { Comparison } from '../../projections/rebuild/comparison.ts';
import { rebuild } from '../../projections/rebuild/rebuild.ts';
import { readModelsVersion } from '../../projections/rebuild/version.ts';
import { type Environment, readEnvironment } from '../../services/environment.ts';
import { type EventLog, type Position, startOfLog } from '../../services/log/log.ts';
import { withAskedLog } from '../cli/asked-log.ts';
import { sayHowFar } from '../cli/behind-log.ts';
import { openCommandLogger } from '../cli/logger.ts';
import { escapeControls } from '../cli/output.ts';
import { type Progress, showProgress } from '../cli/progress.ts';
import { withExistingDatabase } from '../with-database.ts';
import { differenceLine } from './difference-line.ts';

export interface ReadModelsOptions {
  /** How many events a transaction may hold. */
  readonly batch?: number;
  /** How many rows that differ are named of each table. */
  readonly differences: number;
}

/** Makes the read models again, while the system runs or at rest, and writes to stdout what differed. */
export async function rebuildReadModels(signal: AbortSignal, options: ReadModelsOptions): Promise<void> {
  const environment = readEnvironment();
  const logger = await openCommandLogger(environment);
  await withExistingDatabase(environment, logger, async (database) => {
    await migrate(database);
    await withAskedLog(
      { command: 'rebuild', source: environment, databaseUrl: database, logger, unnamed: 'refused' },
      ({ log }) => rebuildFrom({ log, database, environment, logger, signal }, options),
    );
  });
}

interface RebuildParts {
  readonly log: EventLog;
  readonly database: string;
  readonly environment: Environment;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

async function rebuildFrom(
  { log, database, environment, logger, signal }: RebuildParts,
  { batch, differences }: ReadModelsOptions,
): Promise<void> {
  const begun = performance.now();
  let progress: Progress | undefined;
  let madeBefore = startOfLog;
  try {
    const end = await log.end(readModelCategories);
    const rebuilt = await rebuild({
      ...{ log, database, logger, signal, patient: false },
      version: await readModelsVersion(),
      ...(batch === undefined ? {} : { maxBatchEvents: batch }),
      maxDifferences: differences,
      onBegun: (from) => {
        madeBefore = from;
        if (from !== startOfLog)
          process.stderr.write(`goes on after ${from}, where a rebuild was interrupted\n`);
        // The extent of EventStoreDB is in bytes.
        const total = environment.eventStoreUrl === undefined ? log.extent(from, end) : undefined;
        progress = showProgress({ doing: 'rebuilding', total });
      },
      onFilled: (events) => progress?.advance(events),
    });
    progress?.end();
    if (rebuilt === 'busy') throw new Error('another process is making the read models again');
    if (rebuilt === 'interrupted') process.stderr.write('interrupted: the next rebuild goes on from here\n');
    else {
      report(rebuilt, (performance.now() - begun) / 1_000, madeBefore);
      await sayHowFar(database, end);
    }
  } finally {
    progress?.end();
  }
}

function report(
  { rows, hash, counts, differences }: Comparison,
  seconds: number,
  madeBefore: Position,
): void {
  for (const difference of differences) console.log(escapeControls(differenceLine(difference)));
  for (const [table, count] of Object.entries(counts)) {
    console.log(`${table}: ${count.toLocaleString('en')} ${count === 1 ? 'row' : 'rows'} differed`);
  }
  if (differences.length === 0) console.log('no row differed');
  console.log(`made ${rows.toLocaleString('en')} rows in ${seconds.toFixed(1)} s`);
  console.log(`hash ${hash}`);
  // Somebody may have changed them since.
  if (madeBefore !== startOfLog)
    console.log(
      `rows of the events up to ${madeBefore} are those that the interrupted rebuild left: npm run verify -- --read-models makes all anew`,
    );
}
