import { pino } from 'pino';
import { NotSkippable, skipEvent } from '../services/commands/skip-event.ts';
import { tryDecode, UnreadableEvent } from '../services/log/codec.ts';
import type { EventLog, RecordedEvent } from '../services/log/log.ts';
import { createPool } from '../services/postgres/pool.ts';
import { readCheckpoint, readFault } from '../services/queries/checkpoint.ts';
import { type ReadDatabase, readDatabase } from '../services/queries/tables.ts';
import { operatorCommand, runCommand } from './cli/command.ts';
import { withLog } from './with-log.ts';

/** `npm run skip`: passes over an event that stops the system. The log keeps the event, and the decision. */
const command = operatorCommand({
  name: 'skip',
  description:
    'Passes an event over that stops the program: no state and no read model takes it in any more. The log keeps it, and ' +
    'the decision, which cannot be taken back.',
  examples: [['0000000000002042 --why "broken by hand on 2026-11-27"', 'skips the event at this position']],
})
  .usage('[options] <position>')
  .argument('<position>', 'where the event lies, as replay and the messages of the program show it')
  .requiredOption('--why <reason>', 'why, for those who replay the log')
  .option('--force', 'also an event that stops nothing: its effects are lost')
  .action((position: string, options: Options) =>
    withLog((log, databaseUrl) => skip(log, databaseUrl, position, options)),
  );

interface Options {
  readonly why: string;
  readonly force?: true;
}

async function skip(
  log: EventLog,
  databaseUrl: string | undefined,
  position: string,
  { why, force }: Options,
): Promise<void> {
  const mustStop = async (event: RecordedEvent) => {
    if (!force && !(await stops(event, databaseUrl))) throw new NotSkippable(stopsNothing(event));
  };
  const { event, why: reason, before } = await skipEvent(log, position, why, mustStop);
  const { type, stream, revision, recorded } = event;
  const time = new Date(recorded).toISOString();
  console.log(`${before ? 'was skipped before' : 'skipped'}: ${type} at ${stream}@${revision} of ${time}`);
  console.log(`why: ${JSON.stringify(reason)}`);
  if (databaseUrl !== undefined && (await isShown(databaseUrl, event.position))) {
    console.log('The read models took it in before; they show it until they are made anew from the log.');
  }
}

/** Whether commands or the projector stop at an event: it cannot be read, or a projector has recorded that it stopped there. */
async function stops(event: RecordedEvent, databaseUrl: string | undefined): Promise<boolean> {
  if (tryDecode(event) instanceof UnreadableEvent) return true;
  if (databaseUrl === undefined) return false;
  return (await withReadModels(databaseUrl, readFault))?.position === event.position;
}

function stopsNothing({ type, stream, revision }: RecordedEvent): string {
  return (
    `${type} at ${stream}@${revision} stops nothing: it can be read, and no projector says that it stopped there. With ` +
    '--force it is skipped all the same, and what it did is lost from all states for ever'
  );
}

async function isShown(databaseUrl: string, position: string): Promise<boolean> {
  return (await withReadModels(databaseUrl, readCheckpoint)).checkpoint >= position;
}

async function withReadModels<Result>(
  databaseUrl: string,
  use: (database: ReadDatabase) => Promise<Result>,
): Promise<Result> {
  const pool = createPool(databaseUrl, pino({ level: 'silent' }));
  try {
    return await use(readDatabase(pool));
  } finally {
    await pool.end();
  }
}

await runCommand(command);
