import { pino } from 'pino';
import { skipEvent } from '../services/commands/skip-event.ts';
import type { EventLog } from '../services/log/log.ts';
import { createPool } from '../services/postgres/pool.ts';
import { readCheckpoint } from '../services/queries/checkpoint.ts';
import { readDatabase } from '../services/queries/tables.ts';
import { operatorCommand, runCommand } from './cli/command.ts';
import { withLog } from './with-log.ts';

/** `npm run skip`: passes over an event that stops the system. The log keeps the event, and the decision. */
const command = operatorCommand({
  name: 'skip',
  description:
    'Passes an event over: no state and no read model takes it in any more. The log keeps it, and the decision, which ' +
    'cannot be taken back.',
  examples: [['0000000000002042 --why "broken by hand on 2026-11-27"', 'skips the event at this position']],
})
  .usage('[options] <position>')
  .argument('<position>', 'where the event lies, as replay and the messages of the program show it')
  .requiredOption('--why <reason>', 'why, for those who replay the log')
  .action((position: string, { why }: { why: string }) =>
    withLog((log, databaseUrl) => skip(log, databaseUrl, position, why)),
  );

async function skip(
  log: EventLog,
  databaseUrl: string | undefined,
  position: string,
  why: string,
): Promise<void> {
  const { event, why: reason, before } = await skipEvent(log, position, why);
  const { type, stream, revision, recorded } = event;
  const time = new Date(recorded).toISOString();
  console.log(`${before ? 'was skipped before' : 'skipped'}: ${type} at ${stream}@${revision} of ${time}`);
  console.log(`why: ${JSON.stringify(reason)}`);
  if (databaseUrl !== undefined && (await isShown(databaseUrl, event.position))) {
    console.log('The read models took it in before; they show it until they are made anew from the log.');
  }
}

async function isShown(databaseUrl: string, position: string): Promise<boolean> {
  const pool = createPool(databaseUrl, pino({ level: 'silent' }));
  try {
    return (await readCheckpoint(readDatabase(pool))).checkpoint >= position;
  } finally {
    await pool.end();
  }
}

await runCommand(command);
