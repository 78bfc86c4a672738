import { operatorCommand, runCommand } from './cli/command.ts';
import { exportTo } from './copy/copy-command.ts';

/** `npm run export`: copies the log into a folder or another store. */

interface Options {
  readonly to: string;
  readonly streamPrefix: string;
}

const command = operatorCommand({
  name: 'export',
  description:
    'Copies the event log, with ids, times and order, into a folder or another store, and verifies the copy by its ' +
    'Merkle tree. A copy that was interrupted goes on where it stopped. The program may run meanwhile. A folder gets the ' +
    'signed head of the log too, which npm run import holds the events against.',
  examples: [
    ['--to ./backup', 'writes files of JSON lines into a folder'],
    ["--to 'esdb://127.0.0.1:2113?tls=false'", 'copies the log into EventStoreDB'],
    ['--to postgres://bubble@db/bubble', 'copies the log into a Postgres database'],
  ],
})
  .requiredOption('--to <place>', 'a folder, or the URL of a Postgres or an EventStoreDB')
  .option('--stream-prefix <prefix>', 'what the names of streams begin with in an EventStoreDB there', '')
  .action(({ to, streamPrefix }: Options) => exportTo({ text: to, streamPrefix }));

await runCommand(command);
