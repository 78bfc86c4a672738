import { migrate } from '../projections/migrate.ts';
import { readEnvironment } from '../services/environment.ts';
import { openProgramLog } from '../services/logger.ts';
import { withDatabase } from './with-database.ts';

/** `npm run migrate`: brings the tables up to date, of DATABASE_URL or of the data folder. */
try {
  const environment = readEnvironment();
  const { logger } = await openProgramLog(environment.logLevel);
  const applied = await withDatabase(environment, logger, migrate);
  console.log(applied.length === 0 ? 'nothing to do' : applied.map((name) => `applied ${name}`).join('\n'));
} catch (error) {
  console.error(`migrate: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
