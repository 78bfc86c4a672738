import type { Logger } from 'pino';
import { readModelCategories } from '../../contracts/events/index.ts';
import { migrate } from '../../projections/migrate.ts';
import { checkReadModels } from '../../projections/rebuild/check.ts';
import { readModelsVersion } from '../../projections/rebuild/version.ts';
import { readEnvironment } from '../../services/environment.ts';
import type { EventLog } from '../../services/log/log.ts';
import { withAskedLog } from '../cli/asked-log.ts';
import { sayHowFar } from '../cli/behind-log.ts';
import { interruptible } from '../cli/interruption.ts';
import { openCommandLogger } from '../cli/logger.ts';
import { escapeControls } from '../cli/output.ts';
import { showProgress } from '../cli/progress.ts';
import { differenceLine } from '../rebuild/difference-line.ts';
import { withExistingDatabase } from '../with-database.ts';
import { notAsItWas } from './not-as-it-was.ts';

/** How many rows that differ are named of each table. */
const maxDifferences = 100;

/** Compares the read models with what the log says, prints each difference, and sets the exit code 1 if there is one. */
export async function compareReadModels(): Promise<void> {
  const environment = readEnvironment();
  const logger = await openCommandLogger(environment);
  await withExistingDatabase(environment, logger, async (database) => {
    await migrate(database);
    await withAskedLog(
      { command: 'verify', source: environment, databaseUrl: database, logger, unnamed: 'refused' },
      ({ log }) => compareWith(log, database, logger),
    );
  });
}

async function compareWith(log: EventLog, database: string, logger: Logger): Promise<void> {
  const signal = interruptible();
  const end = await log.end(readModelCategories);
  const progress = showProgress({ doing: 'comparing' });
  const version = await readModelsVersion();
  const options = { log, database, logger, version, maxDifferences, signal, onFilled: progress.advance };
  const checked = await checkReadModels(options).finally(() => progress.end());
  if (checked === 'busy') throw new Error('another process is making the read models again: verify later');
  if (checked === 'interrupted') return;
  for (const difference of checked.differences) console.log(escapeControls(differenceLine(difference)));
  for (const [table, count] of Object.entries(checked.counts)) console.log(`${table}: ${count} rows differ`);
  if (checked.differences.length > 0) notAsItWas();
  else console.log('The read models are what the log says: no row differs');
  await sayHowFar(database, end);
}
