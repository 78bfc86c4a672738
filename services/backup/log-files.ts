import { rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { categories } from '../../contracts/events/index.ts';
import type { CopiedEvent } from '../audit/copy/copied-event.ts';
import { leafOf } from '../audit/copy/copied-tree.ts';
import {
  eventFileName,
  eventsInFile,
  eventsInFileAt,
  filesIn,
  folderCopy,
} from '../audit/copy/folder-copy.ts';
import { GrowingTree } from '../audit/tree/growing-tree.ts';
import { emptyRoot, type Hash, sameHash, treeHash } from '../audit/tree/hashes.ts';
import { type EventLog, type RecordedEvent, startOfLog } from '../log/log.ts';
import { makeFolder } from '../make-folder.ts';
import { hashOf, syncFolder } from './durable-file.ts';
import { type CopiedLog, eventsOf, type LogFile } from './manifest.ts';

export interface LogCopying {
  readonly log: EventLog;
  /** Where the files are. */
  readonly folder: string;
  /** Called each time a file has grown and was read back. */
  readonly onFile: (copied: CopiedLog) => Promise<void>;
  /** Called with each event, before it is written. */
  readonly onEvent: (event: RecordedEvent) => void;
  /** Called with the number of events that were compared or stored since the last time. */
  readonly onDone: (events: number) => void;
  readonly signal: AbortSignal;
}

/** The root of the tree over the events of one file. */
export function rootOfFile({ root }: LogFile): Hash {
  return Buffer.from(root, 'base64');
}

/** The root of the tree over all events of some files. Full files are full subtrees, so the tree is that of the log. */
export function rootOfFiles(files: readonly LogFile[]): Hash {
  return files.length === 0 ? emptyRoot : treeHash(files.map(rootOfFile));
}

/**
 * The files that a copy may go on from: all of `copied`, without those that are missing or too short, and those behind
 * them. What lies beyond was not finished, and is removed.
 */
export async function openLogFiles(folder: string, copied: CopiedLog): Promise<CopiedLog> {
  await makeFolder(folder);
  const files: LogFile[] = [];
  for (const file of copied.files) {
    const found = await stat(join(folder, file.name)).catch(() => undefined);
    if (found === undefined || found.size < file.bytes) break;
    files.push(file);
  }
  for (const name of await filesIn(folder)) {
    const file = files.find((kept) => kept.name === name);
    if (file === undefined) await rm(join(folder, name));
    else await truncate(join(folder, name), file.bytes);
  }
  return { ...copied, files };
}

/**
 * Compares the log with what was copied of it under other positions, as after it was restored, by the roots of the
 * files. @returns the same with the log's positions
 * @throws Error if the log does not begin with what was copied
 */
export async function compareFromStart(
  copied: CopiedLog,
  { log, onDone, signal }: Pick<LogCopying, 'log' | 'onDone' | 'signal'>,
): Promise<LogFile[]> {
  const files: LogFile[] = [];
  let tree = new GrowingTree();
  const mustBeSame = (file: LogFile | undefined) => {
    if (file === undefined || (tree.size === file.events && sameHash(tree.root(), rootOfFile(file)))) return;
    throw new Error(
      `${file.name} holds events that the log does not have, as if it went back: keep this backup, and back up ` +
        'into another folder',
    );
  };
  for await (const { id: lastId, position: lastPosition, ...event } of log.readAll({
    prefixes: categories,
  })) {
    signal.throwIfAborted();
    const file = copied.files[files.length];
    if (file === undefined) break;
    tree.append(leafOf({ id: lastId, ...event }));
    if (tree.size < file.events) continue;
    mustBeSame(file);
    files.push({ ...file, lastId, lastPosition });
    onDone(file.events);
    tree = new GrowingTree();
  }
  mustBeSame(copied.files[files.length]);
  return files;
}

/**
 * Appends to the files what the log has beyond them, up to its present end. Each file is read back and compared with
 * what the log gave.
 * @returns what was copied by then
 */
export async function extendLogFiles(copied: CopiedLog, options: LogCopying): Promise<CopiedLog> {
  const { log, folder, onFile } = options;
  const after = copied.files.at(-1)?.lastPosition ?? startOfLog;
  const events = log.readAll({ after, prefixes: categories })[Symbol.asyncIterator]();
  try {
    for (let now = copied; ; ) {
      const last = now.files.at(-1);
      const partial = last !== undefined && last.events < eventsInFile ? last : undefined;
      const whole = partial === undefined ? now.files : now.files.slice(0, -1);
      const first = eventsOf({ files: whole });
      const tail = new CopiedTail(events, eventsInFile - (partial?.events ?? 0), options);
      await folderCopy(folder).add(tail.events(), options.onDone);
      if (tail.last === undefined) return now;
      const name = eventFileName(first);
      const file = await readBack(join(folder, name), first, partial?.events ?? 0, tail);
      if (partial === undefined) await syncFolder(folder);
      const { id: lastId, position: lastPosition } = tail.last;
      now = { ...now, files: [...whole, { name, ...file, lastId, lastPosition }] };
      await onFile(now);
    }
  } finally {
    await events.return?.();
  }
}

/** The next events of the log that one file gets. */
class CopiedTail {
  readonly tree = new GrowingTree();
  last: RecordedEvent | undefined;
  readonly #source: AsyncIterator<RecordedEvent>;
  readonly #max: number;
  readonly #options: LogCopying;

  constructor(source: AsyncIterator<RecordedEvent>, max: number, options: LogCopying) {
    this.#source = source;
    this.#max = max;
    this.#options = options;
  }

  async *events(): AsyncGenerator<CopiedEvent> {
    while (this.tree.size < this.#max) {
      this.#options.signal.throwIfAborted();
      const { done, value } = await this.#source.next();
      if (done) return;
      this.last = value;
      this.tree.append(leafOf(value));
      this.#options.onEvent(value);
      yield value;
    }
  }
}

/** Reads a file that has grown. @throws Error if its new events are not those that were written */
async function readBack(
  file: string,
  first: number,
  before: number,
  { tree: written }: CopiedTail,
): Promise<Pick<LogFile, 'events' | 'bytes' | 'sha256' | 'root'>> {
  const { size: bytes } = await stat(file);
  const [whole, tail] = [new GrowingTree(), new GrowingTree()];
  for await (const event of eventsInFileAt(file, first)) {
    const leaf = leafOf(event);
    if (whole.size >= before) tail.append(leaf);
    whole.append(leaf);
  }
  if (tail.size !== written.size || !sameHash(tail.root(), written.root())) {
    throw new Error(`${file} does not hold what was written to it: the disk may be failing`);
  }
  const root = Buffer.from(whole.root()).toString('base64');
  return { events: whole.size, bytes, sha256: await hashOf(file, bytes), root };
}

/** The events of a backup, in their order. @throws Error if a line is no event */
export async function* backedUpEvents(
  folder: string,
  files: readonly LogFile[],
): AsyncGenerator<CopiedEvent> {
  let first = 0;
  for (const file of files) {
    yield* eventsOfFile(folder, file, first);
    first += file.events;
  }
}

/**
 * The events of one file that belong to the backup.
 * @param first the number of the first of them, for the error
 */
export function eventsOfFile(
  folder: string,
  { name, bytes }: LogFile,
  first: number,
): AsyncGenerator<CopiedEvent> {
  return eventsInFileAt(join(folder, name), first, bytes);
}
