import { InvalidArgumentError } from 'commander';
import { readModelCategories } from '../contracts/events/index.ts';
import { migrate } from '../projections/migrate.ts';
import { accountsDatabase } from '../services/accounts/accounts-tables.ts';
import { readEnvironment } from '../services/environment.ts';
import { createPool } from '../services/postgres/pool.ts';
import { operatorCommand, runCommand } from './cli/command.ts';
import { interruptible } from './cli/interruption.ts';
import { openCommandLogger } from './cli/logger.ts';
import { openOwnLog } from './cli/own-log.ts';
import { showProgress } from './cli/progress.ts';
import { seedPassword } from './seed/fill-accounts.ts';
import { seedInstallation } from './seed/seed-installation.ts';
import { withDatabase } from './with-database.ts';

/** `npm run seed`: fills an empty installation with a made-up history, for benchmarks, tests and demonstrations. */

/** 100 M: more than anybody waits for. */
const maxEvents = 100_000_000;

interface Options {
  readonly events: number;
  readonly seed: string;
}

const command = operatorCommand({
  name: 'seed',
  description:
    'Fills an installation in which nothing is with a made-up history: people, groups and their talk over months. ' +
    'Everybody has one known password, so never do it where people are to work.',
  examples: [
    ['--events 100000 --seed 7', 'writes 100,000 events, the same for the same seed'],
    ['--events 1000000', 'writes a million'],
  ],
})
  .requiredOption('--events <number>', `how many events, 1 to ${maxEvents}`, numberOfEvents)
  .option('--seed <text>', 'the same text gives the same history', '1')
  .action(run);

function numberOfEvents(text: string): number {
  const events = Number(text);
  if (/^\d+$/.test(text) && events >= 1 && events <= maxEvents) return events;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${maxEvents}.`);
}

async function run(options: Options): Promise<void> {
  const signal = interruptible();
  const environment = readEnvironment();
  const logger = await openCommandLogger(environment);
  await withDatabase(environment, logger, async (url) => {
    await migrate(url);
    const log = await openOwnLog({ source: environment, databaseUrl: url, logger, unnamed: 'refused' });
    const pool = createPool(url, logger);
    try {
      const began = performance.now();
      let stored = 0;
      const progress = showProgress({ doing: 'writing', total: options.events });
      const { people } = await seedInstallation(
        { log, accounts: accountsDatabase(pool) },
        options,
        (events) => {
          signal.throwIfAborted();
          stored += events;
          progress.advance(events);
        },
      );
      // Nobody waits for the pushes of a history that is made up.
      await pool.query(
        `update followers.checkpoint set quiet_until = $1 where name = 'read' and position = ''`,
        [await log.end(readModelCategories)],
      );
      progress.end();
      const seconds = (performance.now() - began) / 1000;
      console.log(
        `${stored} events of ${people} people were written in ${seconds.toFixed(1)} s, ` +
          `${Math.round(stored / seconds)} a second. They log in as seed1 to seed${people} with the password ${seedPassword}.`,
      );
    } finally {
      await log.close();
      await pool.end();
    }
  });
}

await runCommand(command);
