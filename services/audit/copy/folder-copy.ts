import { createReadStream } from 'node:fs';
import { open, readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../error-code.ts';
import { whileWriting } from '../../file-failure.ts';
import { makeFolder } from '../../make-folder.ts';
import { type CopiedEvent, eventIn, lineOf, OtherLine } from './copied-event.ts';
import type { CopyTarget } from './copy-log.ts';
import { beginExport, recordName } from './export-record.ts';

/** How many events a file holds at most. */
export const eventsInFile = 65_536;

/** How many characters are written at once. */
const maxHeldCharacters = 1_000_000;

const fileName = /^events-(\d{12})\.ndjson$/;

/** The name of the file whose first event has this number. */
export function eventFileName(first: number): string {
  return `events-${String(first).padStart(12, '0')}.ndjson`;
}

/** Whether a name in a folder says that it holds an export, which may not have come to its end. */
export function isOfExport(name: string): boolean {
  return fileName.test(name) || name === recordName;
}

/** The files of an export in their order, each named by the number of its first event. */
export async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => fileName.test(name)).sort();
}

/**
 * A folder of lines of JSON as source or target of a copy: `events-000000000000.ndjson` and so on. A last line that
 * is not whole, as after a crash, counts as not there.
 */
export function folderCopy(folder: string): CopyTarget {
  return {
    events: () => eventsIn(folder),
    add: (events, onStored) => addTo(folder, events, onStored),
  };
}

async function* eventsIn(folder: string): AsyncGenerator<CopiedEvent> {
  let number = 0;
  for (const name of await filesIn(folder)) {
    if (Number(fileName.exec(name)?.[1]) !== number)
      throw new Error(`${join(folder, name)} does not follow on the file before`);
    for await (const event of eventsInFileAt(join(folder, name), number)) {
      yield event;
      number++;
    }
  }
}

/**
 * The events of one file, or of its first bytes.
 * @param first the number of the first of them, for the error
 * @throws Error if a line is no event, or not as it is written here
 */
export async function* eventsInFileAt(
  file: string,
  first: number,
  bytes?: number,
): AsyncGenerator<CopiedEvent> {
  let number = first;
  let lines = 0;
  for await (const line of wholeLines(file, bytes)) {
    yield readLine(line, `${file}, line ${++lines},`, number);
    number++;
  }
}

function readLine(line: string, place: string, number: number): CopiedEvent {
  try {
    return eventIn(line);
  } catch (cause) {
    const reason = cause instanceof OtherLine ? `: ${cause.message}` : '';
    throw new Error(`${place} holds something else than event number ${number}${reason}`, { cause });
  }
}

/** The lines of a file, or of its first bytes, that end with a line break. */
export async function* wholeLines(file: string, bytes = Number.POSITIVE_INFINITY): AsyncGenerator<string> {
  if (bytes === 0) return;
  const stream = createReadStream(file, { encoding: 'utf8', end: bytes - 1 });
  let rest = '';
  try {
    for await (const chunk of stream) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } finally {
    stream.destroy();
  }
}

async function addTo(
  folder: string,
  events: AsyncIterable<CopiedEvent>,
  onStored: (events: number) => void,
): Promise<void> {
  await whileWriting(folder, makeFolder(folder));
  let file: EventFile | undefined;
  try {
    for await (const event of events) {
      if (!file) await beginExport(folder);
      file ??= await lastFile(folder);
      if (file.full) {
        await file.close(onStored);
        file = await EventFile.open(folder, file.next, 0);
      }
      await file.add(event, onStored);
    }
  } finally {
    await file?.close(onStored);
  }
}

/** The last file of an export, cut behind its last whole line; the first one if there is none. */
async function lastFile(folder: string): Promise<EventFile> {
  const name = (await filesIn(folder)).at(-1);
  if (name === undefined) return EventFile.open(folder, 0, 0);
  const file = join(folder, name);
  let [events, bytes] = [0, 0];
  for await (const line of wholeLines(file)) {
    events++;
    bytes += Buffer.byteLength(line) + 1;
  }
  if ((await stat(file)).size > bytes) await truncate(file, bytes);
  return EventFile.open(folder, Number(fileName.exec(name)?.[1]), events);
}

/** A file of events that is added to. */
class EventFile {
  readonly #path: string;
  readonly #handle: Awaited<ReturnType<typeof open>>;
  readonly #first: number;
  #events: number;
  #held = '';
  #heldEvents = 0;

  private constructor(path: string, handle: Awaited<ReturnType<typeof open>>, first: number, events: number) {
    this.#path = path;
    this.#handle = handle;
    this.#first = first;
    this.#events = events;
  }

  static async open(folder: string, first: number, events: number): Promise<EventFile> {
    const path = join(folder, eventFileName(first));
    const handle = await whileWriting(path, open(path, 'a', 0o600));
    return new EventFile(path, handle, first, events);
  }

  get full(): boolean {
    return this.#events >= eventsInFile;
  }

  /** The number of the first event of the file after it. */
  get next(): number {
    return this.#first + this.#events;
  }

  async add(event: CopiedEvent, onStored: (events: number) => void): Promise<void> {
    this.#held += lineOf(event);
    this.#heldEvents++;
    this.#events++;
    if (this.#held.length >= maxHeldCharacters || this.full) await this.#flush(onStored);
  }

  async close(onStored: (events: number) => void): Promise<void> {
    try {
      await this.#flush(onStored);
      await whileWriting(this.#path, this.#handle.sync());
    } finally {
      await this.#handle.close();
    }
  }

  async #flush(onStored: (events: number) => void): Promise<void> {
    const [text, events] = [this.#held, this.#heldEvents];
    if (events === 0) return;
    this.#held = '';
    this.#heldEvents = 0;
    await whileWriting(this.#path, this.#handle.appendFile(text));
    onStored(events);
  }
}
