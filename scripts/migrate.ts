import { migrate } from '../projections/migrate.ts';
import { readEnvironment } from '../services/environment.ts';
import { openProgramLog } from '../services/logger.ts';
import { operatorCommand, runCommand } from './cli/command.ts';
import { withDatabase } from './with-database.ts';

/** `npm run migrate`: brings the tables up to date, of DATABASE_URL or of the data folder. */

const command = operatorCommand({
  name: 'migrate',
  description:
    'Brings the tables up to date, of DATABASE_URL or of the data folder. Every program does so at its start; this is for ' +
    'who wants it done before.',
  examples: [['', 'applies what is not applied yet, and names it']],
}).action(async () => {
  const environment = readEnvironment();
  const { logger } = await openProgramLog(environment.logLevel);
  const applied = await withDatabase(environment, logger, migrate);
  console.log(applied.length === 0 ? 'nothing to do' : applied.map((name) => `applied ${name}`).join('\n'));
});

await runCommand(command);
