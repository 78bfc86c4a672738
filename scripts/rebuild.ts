import { InvalidArgumentError } from 'commander';
import { operatorCommand, runCommand } from './cli/command.ts';
import { interruptible } from './cli/interruption.ts';
import { rebuildAuditIndex } from './rebuild/audit-index.ts';
import { rebuildReadModels } from './rebuild/read-models.ts';

/** `npm run rebuild`: makes again what is made of the log, while the system runs or at rest. */

interface Options {
  readonly audit?: true;
  readonly batch?: number;
  readonly differences: number;
}

/** Larger batches are split by the rows that they read and write. */
const maxBatch = 10_000;
const maxNamed = 100_000;

const command = operatorCommand({
  name: 'rebuild',
  description:
    'Makes the read models again from the log, beside those that are served, then serves the new ones, and names ' +
    'what differs between the two. The system may run meanwhile: no request fails. If it is interrupted, the next ' +
    'one goes on where it stopped, with the rows that were made. The log itself is not changed.',
  examples: [
    ['', 'makes all read models again'],
    ['--batch 50', 'commits after every 50 events, for a database with little memory'],
    ['--differences 100000', 'names up to 100,000 rows of each table that differ'],
    ['--audit', 'the index of the log instead, which replay and explain use'],
  ],
})
  .option('--audit', 'the index of the log, and what is made together with it, instead of the read models')
  .option('--batch <events>', `how many events a transaction may hold, up to ${maxBatch}`, upTo(maxBatch))
  .option('--differences <rows>', 'how many rows that differ to name of each table', upTo(maxNamed), 100)
  .action(async ({ audit, ...options }: Options) => {
    const signal = interruptible();
    if (audit) await rebuildAuditIndex(signal);
    else await rebuildReadModels(signal, options);
  });

function upTo(max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d{1,9}$/.test(text) && number >= 1 && number <= max) return number;
    throw new InvalidArgumentError(`"${text}" is no number from 1 to ${max}`);
  };
}

await runCommand(command);
