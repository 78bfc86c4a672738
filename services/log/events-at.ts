import type { EventPlace, RecordedEvent } from './log.ts';
import type { ReadPages } from './merged-pages.ts';

/** How many events are read by one call. */
const eventsAtOnce = 500;

/** Reads single events, in the order asked, without those that the log lacks. Reads the next ones ahead. */
export async function* eventsAt(
  places: readonly EventPlace[],
  readPages: ReadPages,
): AsyncGenerator<RecordedEvent, void, undefined> {
  const read = (first: number) => {
    const asked = places.slice(first, first + eventsAtOnce);
    const pages = asked.length === 0 ? undefined : readPages(asked.map(startAt), 1);
    // It is awaited later, or never if nobody reads on: its failure must not count as unhandled.
    pages?.catch(() => undefined);
    return pages;
  };
  let coming = read(0);
  for (let first = 0; coming; first += eventsAtOnce) {
    const pages = await coming;
    coming = read(first + eventsAtOnce);
    for (const [index, { records }] of pages.entries()) {
      const [record] = records;
      if (record && record.revision === places[first + index]?.revision) yield record;
    }
  }
}

const startAt = ({ stream, revision }: EventPlace) => ({ stream, from: revision });
