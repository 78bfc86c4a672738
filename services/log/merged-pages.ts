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

/** A page of a stream, and which of its events is the next one. */
interface Head extends Page {
  readonly index: number;
  readonly next: RecordedEvent;
}

/**
 * The events of some streams in the order of the log, or in the reverse order. It holds a page of each stream in
 * memory.
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
  for (let head = heads.shift(); head; head = heads.shift()) {
    yield head.next;
    const rest = headOf(head, head.index + 1) ?? (await following(head, step, readPages));
    if (rest) insert(heads, rest, isBefore);
  }
}

function headOf(page: Page, index: number): Head | undefined {
  const next = page.records[index];
  return next && { records: page.records, more: page.more, index, next };
}

/** The page after one that was read to its end. */
async function following(
  { more, next: { stream, revision } }: Head,
  step: number,
  readPages: (starts: readonly PageStart[]) => Promise<readonly Page[]>,
): Promise<Head | undefined> {
  if (!more) return undefined;
  const [page] = await readPages([{ stream, from: revision + step }]);
  return page && headOf(page, 0);
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
