import { type EventId, LogFailure, type RecordedEvent, type StreamName } from '../../log/log.ts';
import type { ReadingDatabase } from '../../postgres/database.ts';
import type { ReadableLog } from '../readable-log.ts';
import { hashBytes } from './hashes.ts';
import { storedExtent } from './stored-extent.ts';
import { type TreeEntry, textOf, treeEntryOf } from './tree-entry.ts';
import { TreeStore } from './tree-store.ts';

/** How many streams are listed, and how many events of one are fetched from the index, at once. */
const pageRows = 500;

/** A stream whose read gives other events than a read of the whole log. */
export interface DifferentStream {
  readonly stream: StreamName;
  /** The first event that differs, as the whole log has it; undefined if that has none there. */
  readonly expected: TreeEntry | undefined;
  /** The same, as a read of the stream has it. */
  readonly found: TreeEntry | undefined;
  /** Why the store does not read the stream, if it does not. */
  readonly refusal?: string;
}

export interface CompareStreamsOptions {
  readonly log: ReadableLog;
  readonly database: ReadingDatabase;
  readonly onRead?: (events: number) => void;
  readonly signal?: AbortSignal;
}

/** An event of a stream in the index, with its number in the whole log. */
interface Numbered {
  readonly number: number;
  readonly entry: TreeEntry;
}

/**
 * Reads every audited stream and holds its events, in order, with revision, id, type, time, data and metadata, against those
 * that the index has of it, which `verifyLog` holds against a read of the whole log. What is not audited yet is passed
 * over, and so is the second of two events of one id. Memory stays level: a page of one stream.
 * @throws LogFailure; what `pg` throws; the signal's reason
 */
export async function* differentStreams(
  options: CompareStreamsOptions,
): AsyncGenerator<DifferentStream, void, undefined> {
  const { database, signal } = options;
  const { events, checkpoint } = await storedExtent(database);
  for await (const stream of streamsOf(database, events)) {
    signal?.throwIfAborted();
    const different = await compareStream(options, stream, { events, checkpoint });
    if (different) yield different;
  }
}

async function compareStream(
  { log, database, onRead }: CompareStreamsOptions,
  stream: StreamName,
  audited: { readonly events: number; readonly checkpoint: string },
): Promise<DifferentStream | undefined> {
  const entries = entriesOf(database, stream, audited.events);
  let expected = await next(entries);
  const isRepeat = async (found: TreeEntry) => {
    if (log.remembersIds === 'forever') return false;
    const number = await new TreeStore(database).numberOf(found);
    return number !== undefined && number < (expected?.number ?? audited.events);
  };
  try {
    for await (const record of log.readStream(stream)) {
      const found = treeEntryOf(record);
      if (expected && textOf(found) === textOf(expected.entry)) {
        onRead?.(1);
        expected = await next(entries);
      } else if (isAudited(record, audited.checkpoint) && !(await isRepeat(found))) {
        return { stream, expected: expected?.entry, found };
      }
    }
  } catch (error) {
    if (!(error instanceof LogFailure)) throw error;
    // A store that is away throws here too.
    await log.end();
    return { stream, expected: expected?.entry, found: undefined, refusal: error.message };
  }
  return expected && { stream, expected: expected.entry, found: undefined };
}

function isAudited({ position }: RecordedEvent, checkpoint: string): boolean {
  return position <= checkpoint;
}

async function next(entries: AsyncGenerator<Numbered, void, undefined>): Promise<Numbered | undefined> {
  const { value } = await entries.next();
  return value ?? undefined;
}

/** The streams of the first events, in order of name. */
async function* streamsOf(database: ReadingDatabase, events: number): AsyncGenerator<StreamName> {
  for (let after = ''; ; ) {
    const { rows } = await database.query<{ stream: StreamName }>(
      `select distinct stream from audit.events where stream > $1 and number < $2 order by stream limit ${pageRows}`,
      [after, events],
    );
    for (const { stream } of rows) yield stream;
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.stream;
  }
}

/** The events of a stream, as the index has them, in the order of the log. */
async function* entriesOf(
  database: ReadingDatabase,
  stream: StreamName,
  events: number,
): AsyncGenerator<Numbered, void, undefined> {
  for (let after = -1; ; ) {
    const { rows } = await database.query<{
      number: string | number;
      id: EventId;
      recorded: string | number;
      revision: string | number;
      type: string;
      digest: string;
    }>(
      `select number, id, recorded, revision, type,
              (select encode(substring(digests from ((number - first) * ${hashBytes} + 1)::int for ${hashBytes}), 'hex')
                 from audit.digests where first <= number order by first desc limit 1) as digest
         from audit.events where stream = $1 and number > $2 and number < $3 order by number limit ${pageRows}`,
      [stream, after, events],
    );
    for (const { number, id, recorded, revision, type, digest } of rows) {
      const numbers = { recorded: Number(recorded), revision: Number(revision) };
      yield { number: Number(number), entry: { id, type, stream, digest: digest ?? '', ...numbers } };
    }
    const last = rows.at(-1);
    if (last === undefined) return;
    after = Number(last.number);
  }
}
