import pLimit from 'p-limit';
import type { RecordedEvent, StreamName } from './log.ts';

/** Events of one stream in order, and whether there may be more after them. */
export interface Page {
  readonly records: readonly RecordedEvent[];
  readonly more: boolean;
}

/** A stream, and the first revision to read of it; undefined for where the direction begins. */
export interface PageStart {
  readonly stream: StreamName;
  readonly from: number | undefined;
}

/** How many streams are begun by one call of `readPages`: most streams have few events, so that these are all of them. */
const streamsAtOnce = 50;

/** How many such calls are under way at once: as many as a log in Postgres has connections for reading. */
const callsAtOnce = 4;

/** How many events before the end of its page the next page of a stream is begun: soon enough to be there in time. */
const aheadEvents = 32;

/** How many such pages are held at once: they are in memory beside the pages that are being merged. */
const maxPagesAhead = 16;

/** A page of a stream, and which of its events is the next one. */
interface Head extends Page {
  readonly index: number;
  readonly next: RecordedEvent;
  /** The page after this one, once it was begun. */
  readonly ahead: Promise<Page | undefined> | undefined;
}

/**
 * The events of some streams in the order of the log, or in the reverse order. It holds a page of each stream in
 * memory, and the next one of some.
 * @param readPages gives a page of each stream, in the order asked; the more streams, the shorter the pages
 * @throws what `readPages` throws
 */
export async function* mergedPages(
  streams: readonly StreamName[],
  direction: 'forwards' | 'backwards',
  readPages: (starts: readonly PageStart[]) => Promise<readonly Page[]>,
): AsyncGenerator<RecordedEvent, void, undefined> {
  const [step, isBefore] =
    direction === 'forwards'
      ? [1, (one: Head, other: Head) => one.next.position < other.next.position]
      : [-1, (one: Head, other: Head) => one.next.position > other.next.position];
  const starts = [...new Set(streams)].map((stream) => ({ stream, from: undefined }));
  const limit = pLimit(callsAtOnce);
  const pages = await limit.map(chunks(starts, streamsAtOnce), readPages);
  const heads = pages.flat().flatMap((page) => headOf(page, 0) ?? []);
  heads.sort((one, other) => (isBefore(one, other) ? -1 : 1));
  const following = new FollowingPages(step, readPages);
  for (let head = heads.shift(); head; head = heads.shift()) {
    yield head.next;
    const ahead = following.begin(head);
    const rest = headOf(head, head.index + 1, ahead) ?? (await following.after(head, ahead));
    if (rest) insert(heads, rest, isBefore);
  }
}

function headOf(page: Page, index: number, ahead?: Head['ahead']): Head | undefined {
  const next = page.records[index];
  return next && { records: page.records, more: page.more, index, next, ahead };
}

/** Reads the pages after the first ones. */
class FollowingPages {
  readonly #step: number;
  readonly #readPages: (starts: readonly PageStart[]) => Promise<readonly Page[]>;
  #pagesAhead = 0;

  constructor(step: number, readPages: (starts: readonly PageStart[]) => Promise<readonly Page[]>) {
    this.#step = step;
    this.#readPages = readPages;
  }

  /** Begins the page after the head's, if that one is nearly read to its end. @returns the page that is begun, if it is */
  begin({ ahead, more, records, index }: Head): Head['ahead'] {
    const last = records.at(-1);
    const near = index >= Math.max(records.length - aheadEvents, records.length / 2);
    if (ahead || !more || !last || !near || this.#pagesAhead === maxPagesAhead) return ahead;
    this.#pagesAhead++;
    const page = this.#read(last);
    // It is awaited later, or never if nobody reads on: its failure must not count as unhandled.
    page.catch(() => undefined);
    return page;
  }

  /** The head of the page after one that was read to its end. @param ahead that page, if it was begun */
  async after({ more, next }: Head, ahead: Head['ahead']): Promise<Head | undefined> {
    if (!more) return undefined;
    if (ahead) this.#pagesAhead--;
    const page = await (ahead ?? this.#read(next));
    return page && headOf(page, 0);
  }

  async #read({ stream, revision }: RecordedEvent): Promise<Page | undefined> {
    const [page] = await this.#readPages([{ stream, from: revision + this.#step }]);
    return page;
  }
}

function chunks<Element>(elements: readonly Element[], size: number): Element[][] {
  return Array.from({ length: Math.ceil(elements.length / size) }, (_, index) =>
    elements.slice(index * size, (index + 1) * size),
  );
}

/** Puts a head among sorted ones, before those of the same position: events of one append may have the same. */
function insert(heads: Head[], head: Head, isBefore: (one: Head, other: Head) => boolean): void {
  let [from, to] = [0, heads.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const other = heads[middle];
    if (other && isBefore(other, head)) from = middle + 1;
    else to = middle;
  }
  heads.splice(from, 0, head);
}
