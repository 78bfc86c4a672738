import pLimit from 'p-limit';
import { chunked } from '../chunked.ts';
import type { RecordedEvent, StreamName } from './log.ts';

/** Events of one stream in order, and whether there may be more after them. */
export interface Page {
  readonly records: readonly RecordedEvent[];
  readonly more: boolean;
  /** How many bytes of the store their data and metadata take. */
  readonly bytes: number;
}

/** A stream, and the first revision to read of it; undefined for where the direction begins. */
export interface PageStart {
  readonly stream: StreamName;
  readonly from: number | undefined;
}

/**
 * Gives a page of each stream, in the order asked.
 * @param maxEvents how many events each of the pages has at most
 */
export type ReadPages = (starts: readonly PageStart[], maxEvents: number) => Promise<readonly Page[]>;

/** How many events all pages of one call have together at most. */
const maxCallEvents = 500;

/**
 * How many events the first pages have if there are many streams: most streams have fewer, and 50 of them are begun by
 * one call.
 */
const shortPageEvents = 10;

/** How many calls are under way at once: as many as a log in Postgres has connections for reading. */
const callsAtOnce = 4;

/**
 * From how many events or bytes in memory on pages are short, and none is read ahead. A person may have thousands of long
 * conversations, of each of which a page is in memory.
 */
const maxHeldEvents = 20_000;
const maxHeldBytes = 64_000_000;

/**
 * The events of some streams in the order of the log, or in the reverse order. It holds a page of each stream in
 * memory, and the next one of some: the longer a stream, the longer its pages, while memory allows it.
 * @throws what `readPages` throws
 */
export async function* mergedPages(
  streams: readonly StreamName[],
  direction: 'forwards' | 'backwards',
  readPages: ReadPages,
): AsyncGenerator<RecordedEvent, void, undefined> {
  const [step, isBefore] =
    direction === 'forwards'
      ? [1, (one: RecordedEvent, other: RecordedEvent) => one.position < other.position]
      : [-1, (one: RecordedEvent, other: RecordedEvent) => one.position > other.position];
  const reading = new Reading(step, readPages);
  const heads = await reading.begin([...new Set(streams)]);
  heads.sort((one, other) => (isBefore(one.next, other.next) ? -1 : 1));
  for (let head = heads.shift(); head; head = heads.shift()) {
    yield head.next;
    if (await reading.advance(head)) insert(heads, head, isBefore);
  }
}

/** A stream that is being read. */
interface Head {
  page: Page;
  /** Which event of the page is the next one. */
  index: number;
  next: RecordedEvent;
  /** How many events its last page was asked to have. */
  pageEvents: number;
  /** The page after this one, once it was begun. */
  following: Promise<Page | undefined> | undefined;
}

/** Reads the pages of the streams, and knows how much of them is in memory. */
class Reading {
  readonly #step: number;
  readonly #readPages: ReadPages;
  /** Streams of whose page half is left, so that the next one is begun when a call has enough of them. */
  readonly #wanting = new Set<Head>();
  #callsUnderWay = 0;
  #heldEvents = 0;
  #heldBytes = 0;

  constructor(step: number, readPages: ReadPages) {
    this.#step = step;
    this.#readPages = readPages;
  }

  /** Reads the first page of each stream. @returns those that have an event */
  async begin(streams: readonly StreamName[]): Promise<Head[]> {
    const starts = streams.map((stream) => ({ stream, from: undefined }));
    const pageEvents = Math.max(shortPageEvents, Math.floor(maxCallEvents / starts.length));
    const limit = pLimit(callsAtOnce);
    const pages = await limit.map(chunked(starts, Math.floor(maxCallEvents / pageEvents)), (some) =>
      this.#readPages(some, pageEvents),
    );
    return pages.flat().flatMap((page) => {
      this.#hold(page);
      const [next] = page.records;
      return next ? { page, index: 0, next, pageEvents, following: undefined } : [];
    });
  }

  /** Goes on to the next event of a stream. @returns false if there is none */
  async advance(head: Head): Promise<boolean> {
    const { page } = head;
    head.index++;
    this.#heldEvents--;
    if (page.more && !head.following && head.index * 2 >= page.records.length) {
      this.#wanting.add(head);
      this.#readAhead();
    }
    let next = page.records[head.index];
    if (!next) {
      this.#heldBytes -= page.bytes;
      if (!page.more) return false;
      if (!head.following) this.#call(head);
      const following = await head.following;
      head.following = undefined;
      next = following?.records[0];
      if (!following || !next) return false;
      head.page = following;
      head.index = 0;
    }
    head.next = next;
    return true;
  }

  /** Reads the next pages of streams that want one, if they fill a call. */
  #readAhead(): void {
    const [first] = this.#wanting;
    if (!first || this.#callsUnderWay >= callsAtOnce || this.#isFull) return;
    if (this.#wanting.size * this.#eventsAfter(first) >= maxCallEvents) this.#call(first);
  }

  /** Begins the next page of a stream, and of others that want one. */
  #call(first: Head): void {
    this.#wanting.delete(first);
    const pageEvents = this.#eventsAfter(first);
    const others = this.#wanting.values().take(Math.floor(maxCallEvents / pageEvents) - 1);
    const heads = [first, ...others];
    this.#callsUnderWay++;
    const pages = this.#readPages(heads.map(this.#startAfter), pageEvents).finally(() => {
      this.#callsUnderWay--;
    });
    for (const [index, head] of heads.entries()) {
      this.#wanting.delete(head);
      head.pageEvents = pageEvents;
      head.following = pages.then((found) => this.#hold(found[index]));
      // It is awaited later, or never if nobody reads on: its failure must not count as unhandled.
      head.following.catch(() => undefined);
    }
  }

  readonly #startAfter = ({ page, next: { stream, revision } }: Head): PageStart => ({
    stream,
    from: (page.records.at(-1)?.revision ?? revision) + this.#step,
  });

  #eventsAfter({ pageEvents }: Head): number {
    return this.#isFull ? shortPageEvents : Math.min(2 * pageEvents, maxCallEvents);
  }

  get #isFull(): boolean {
    return this.#heldEvents >= maxHeldEvents || this.#heldBytes >= maxHeldBytes;
  }

  #hold(page: Page | undefined): Page | undefined {
    this.#heldEvents += page?.records.length ?? 0;
    this.#heldBytes += page?.bytes ?? 0;
    return page;
  }
}

/** Puts a head among sorted ones, before those of the same position: events of one append may have the same. */
function insert(
  heads: Head[],
  head: Head,
  isBefore: (one: RecordedEvent, other: RecordedEvent) => boolean,
): void {
  let [from, to] = [0, heads.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const other = heads[middle];
    if (other && isBefore(other.next, head.next)) from = middle + 1;
    else to = middle;
  }
  heads.splice(from, 0, head);
}
