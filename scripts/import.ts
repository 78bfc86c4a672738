import { operatorCommand, runCommand } from './cli/command.ts';
import { importFrom } from './copy/copy-command.ts';

/** `npm run import`: fills an empty log from a folder or another store. */

interface Options {
  readonly from: string;
  readonly streamPrefix: string;
  readonly verifier?: string;
}

const command = operatorCommand({
  name: 'import',
  description:
    'Fills the log that the environment names (DATABASE_URL or DATA_DIR, or EVENTSTORE_URL) from a folder that ' +
    'npm run export wrote, or from another store, and verifies the copy by its Merkle tree. The log must be empty or a ' +
    'beginning of the source, and no program may write to it meanwhile. A folder is first held against the signed head ' +
    'that it was exported with: if events were changed, nothing is imported.',
  examples: [
    ['--from ./backup', 'reads the files of an export'],
    ['--from ./backup --verifier bubble-im/chat+0a1b2c3d+…', 'the same, if this key signed the head of it'],
    ['--from postgres://bubble@old/bubble', 'reads the log in a Postgres database'],
  ],
})
  .requiredOption('--from <place>', 'a folder, or the URL of a Postgres or an EventStoreDB')
  .option('--stream-prefix <prefix>', 'what the names of streams begin with in an EventStoreDB there', '')
  .option(
    '--verifier <key>',
    'by whose key the head of a folder must be signed: name+id+key, from npm run verify -- --key',
  )
  .action(({ from, streamPrefix, verifier }: Options) => importFrom({ text: from, streamPrefix }, verifier));

await runCommand(command);
