import { once } from 'node:events';
import { Command, InvalidArgumentError, Option } from 'commander';
import { definitionOf } from '../contracts/events/index.ts';
import { type EventLog, type Position, type RecordedEvent, startOfLog } from '../services/log/log.ts';
import { Skips } from '../services/log/skips.ts';
import { withLog } from './with-log.ts';

/** `npm run replay`: shows the event log, while the system runs or at rest; it changes nothing. */

interface Options {
  readonly stream?: string;
  readonly type?: string;
  readonly from?: string;
  readonly follow?: boolean;
  readonly format: 'table' | 'ndjson';
}

const program = new Command('replay')
  .description('Shows the events of the log in their order.')
  .option('--stream <name>', 'one stream, or with a * at its end all whose names begin so: user-9, group-*')
  .option('--type <names>', 'only these events, comma between: MessageSent,MessageRevoked', knownTypes)
  .option('--from <position>', 'only what lies after this position, as replay shows them')
  .option('--follow', 'goes on with what comes, until Ctrl-C; waits for a program that is not running')
  .addOption(
    new Option('--format <format>', 'how to show them').choices(['table', 'ndjson']).default('table'),
  )
  .action(run);

function knownTypes(text: string): string {
  const unknown = text.split(',').find((type) => definitionOf(type) === undefined);
  if (unknown !== undefined) throw new InvalidArgumentError(`there is no event ${unknown}`);
  return text;
}

async function run(options: Options): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  await withLog((log) => show(log, options, stop), options.follow ? stop.signal : undefined);
}

async function show(log: EventLog, options: Options, stop: AbortController): Promise<void> {
  const types = options.type === undefined ? undefined : new Set(options.type.split(','));
  // Whoever reads the output may end before we do: `replay | head`.
  process.stdout.on('error', () => stop.abort());
  const print = options.format === 'table' ? asLine : asJson;
  // A decision lies behind the event that it passes over.
  const skips = new Skips(log);
  await skips.refresh();
  if (options.format === 'table') await write(heading);
  for await (const record of records(log, options, stop.signal)) {
    if (stop.signal.aborted) break;
    skips.apply(record);
    if (types && !types.has(record.type)) continue;
    await write(`${escaped(print(record, skips.reason(record)))}\n`);
  }
}

/** The chosen records: history, and with `follow` what comes. */
async function* records(log: EventLog, options: Options, signal: AbortSignal): AsyncGenerator<RecordedEvent> {
  const { stream = '*', from, follow } = options;
  const prefix = stream.endsWith('*') ? stream.slice(0, -1) : stream;
  const whole = prefix !== stream;
  const filter = {
    after: from === undefined ? startOfLog : (from as Position),
    ...(prefix === '' ? {} : { prefixes: [prefix] }),
  };
  const batches = follow ? log.subscribe({ ...filter, signal }) : [log.readAll(filter)];
  for await (const batch of batches) {
    for await (const record of batch) if (whole || record.stream === stream) yield record;
  }
}

const heading = `${'position'.padEnd(16)}  ${'time'.padEnd(24)}  ${'stream'.padEnd(24)}  rev  type\n`;

function asLine(record: RecordedEvent, skipped: string | undefined): string {
  const { position, recorded, stream, revision, type, data } = record;
  const time = new Date(recorded).toISOString();
  return `${position.padEnd(16)}  ${time}  ${stream.padEnd(24)}  ${String(revision).padStart(3)}  ${type} ${JSON.stringify(data)}${skipped === undefined ? '' : ` [skipped: ${JSON.stringify(skipped)}]`}`;
}

function asJson(record: RecordedEvent, skipped: string | undefined): string {
  const { position, recorded, stream, revision, id, type, data, metadata } = record;
  return JSON.stringify({ position, recorded, stream, revision, id, type, data, metadata, skipped });
}

/**
 * Escapes what a terminal would obey: people's texts stand in the data, and JSON escapes but some control
 * characters. The escapes are those of JSON, so that a line stays what it was.
 */
function escaped(line: string): string {
  const hexadecimal = (character: string) => character.charCodeAt(0).toString(16).padStart(4, '0');
  return line.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    (character) => `\\u${hexadecimal(character)}`,
  );
}

/** Waits where the reader is slower than the log, so that memory stays flat. */
async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain').catch(() => undefined);
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`replay: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
