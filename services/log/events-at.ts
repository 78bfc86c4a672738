import type { EventPlace, RecordedEvent } from './log.ts';

/** How many events are read by one call. */
const eventsAtOnce = 500;

/** Gives the event at each place, in the order asked: undefined, or one of another revision, where the log has none. */
export type ReadPlaces = (places: readonly EventPlace[]) => Promise<readonly (RecordedEvent | undefined)[]>;

/** Reads single events, in the order asked, without those that the log lacks. Reads the next ones ahead. */
export async function* eventsAt(
  places: readonly EventPlace[],
  readPlaces: ReadPlaces,
): AsyncGenerator<RecordedEvent, void, undefined> {
  const read = (first: number) => {
    const asked = places.slice(first, first + eventsAtOnce);
    const records = asked.length === 0 ? undefined : readPlaces(asked);
    // It is awaited later, or never if nobody reads on: its failure must not count as unhandled.
    records?.catch(() => undefined);
    return records;
  };
  let coming = read(0);
  for (let first = 0; coming; first += eventsAtOnce) {
    const records = await coming;
    coming = read(first + eventsAtOnce);
    for (const [index, record] of records.entries()) {
      if (record && record.revision === places[first + index]?.revision) yield record;
    }
  }
}
