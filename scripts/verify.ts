import { InvalidArgumentError } from 'commander';
import { verifierKey } from '../services/audit/tree/note.ts';
import { readEnvironment } from '../services/environment.ts';
import type { EventId } from '../services/log/log.ts';
import { operatorCommand, runCommand } from './cli/command.ts';
import { compare } from './verify/compare.ts';
import { compareReadModels } from './verify/compare-read-models.ts';
import { compareStoredIndex } from './verify/compare-stored-index.ts';
import { compareStreams } from './verify/compare-streams.ts';
import { checkProof, proveEvent } from './verify/prove.ts';
import { verifierFrom } from './verify/with-audit.ts';
import { writeTree } from './verify/write-tree.ts';

/** `npm run verify`: compares the log with its Merkle tree, and proves what is in it. */

interface Options {
  readonly checkpoint?: string;
  readonly event?: EventId;
  readonly out?: string;
  readonly proof?: string;
  readonly export?: string;
  readonly key?: boolean;
  readonly verifier?: string;
  readonly readModels?: boolean;
  readonly index?: boolean;
  readonly streams?: boolean;
}

const command = operatorCommand({
  name: 'verify',
  description:
    'Reads the whole log, makes its Merkle tree anew, and compares it with the stored tree and with every signed head. ' +
    'Names the first event that was changed, removed, inserted or moved, those that lie where no append puts one, and ' +
    'what was changed of the tree, of its heads and of the snapshots of the commands, and ends with code 1 if there is one.',
  examples: [
    ['', 'compares the log with its tree'],
    ['--checkpoint heads', 'the same, and with the heads in a file that was kept elsewhere'],
    ['--index', 'compares the index by which events are found with the log'],
    ['--streams', 'compares what reads of each stream give, as commands do, with the index of the log'],
    ['--read-models', 'compares the tables that queries read with what the log says'],
    ['--event 0190a0c0-0000-7000-8000-000000000001', 'writes a proof that an event is in the log'],
    ['--proof 0190a0c0-0000-7000-8000-000000000001.tlog-proof', 'verifies such a proof; needs no database'],
    ['--export ./tree', 'writes the tree as files that other tools read (C2SP tlog-tiles)'],
    ['--key', 'prints the verifier key of the heads'],
  ],
})
  .option('--checkpoint <file>', 'one or more heads that were kept elsewhere')
  .option('--event <id>', 'writes a proof for the event of this id', eventId)
  .option('--out <file>', 'where the proof is written; by default the id with .tlog-proof')
  .option('--proof <file>', 'verifies a proof')
  .option('--export <folder>', 'writes the tree of the last head')
  .option('--read-models', 'compares the read models with what the log says, row by row, instead')
  .option('--index', 'compares the index of the log with the log, row by row, instead')
  .option('--streams', 'compares each stream with the index of the log, event by event, instead')
  .option('--key', 'prints the verifier key')
  .option(
    '--verifier <key>',
    'by whose key heads must be signed: name+id+key; by default that of the installation',
  )
  .action(run);

function eventId(text: string): EventId {
  const id = text.toLowerCase();
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return id as EventId;
  throw new InvalidArgumentError(
    `"${text}" is no id of an event: it is a UUID, as replay --format ndjson shows it`,
  );
}

async function run(options: Options): Promise<void> {
  const {
    checkpoint,
    event,
    out,
    proof,
    verifier,
    export: folder,
    key,
    readModels,
    index,
    streams,
  } = options;
  const chosen = Object.entries({
    checkpoint,
    event,
    proof,
    export: folder,
    key,
    'read-models': readModels,
    index,
    streams,
  }).filter(([, value]) => value);
  if (chosen.length > 1) {
    throw new Error(
      `--${chosen.map(([name]) => name).join(' and --')} are different things: give one of them`,
    );
  }
  if (out !== undefined && event === undefined)
    throw new Error('--out is where the proof of --event is written');
  if (verifier !== undefined && (event !== undefined || key || readModels || index || streams))
    throw new Error('--verifier is by whose key heads are verified, and here none is: leave it out');
  if (event !== undefined) await proveEvent(event, out ?? `${event}.tlog-proof`);
  else if (proof !== undefined) await checkProof(proof, verifier);
  else if (folder !== undefined) await writeTree(folder, verifier);
  else if (readModels) await compareReadModels();
  else if (index) await compareStoredIndex();
  else if (streams) await compareStreams();
  else if (key) console.log(verifierKey(await verifierFrom(undefined, readEnvironment())));
  else await compare(checkpoint, verifier);
}

await runCommand(command);
