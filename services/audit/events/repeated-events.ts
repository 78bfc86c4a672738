import type { EventLog, Position, RecordedEvent } from '../../log/log.ts';
import type { FalseRepeat } from '../index/repeats.ts';
import { type EventFilter, matches } from './filter.ts';
import type { FoundEvent } from './find-events.ts';

/**
 * The events that a filter asks for among those under the ids of others, which the index does not have: the read models
 * obey them, so that a search that left them out would not say how something came about.
 * @param upTo how far the index reaches @throws LogFailure
 */
export async function repeatedEvents(
  log: Pick<EventLog, 'readEvents'>,
  repeats: readonly FalseRepeat[],
  filter: EventFilter,
  upTo: Position,
): Promise<RecordedEvent[]> {
  const places = repeats.map(({ event }) => event).filter(({ position }) => position <= upTo);
  const records = places.length === 0 ? [] : await Array.fromAsync(log.readEvents(places));
  return records
    .filter((record) => matches(filter, record))
    .sort((one, other) => (one.position < other.position ? -1 : 1));
}

/** Puts further events among others where they lie. @param reverse whether the last event comes first */
export async function* withFurther(
  events: AsyncIterable<FoundEvent>,
  further: readonly RecordedEvent[],
  reverse: boolean,
): AsyncGenerator<FoundEvent, void, undefined> {
  const waiting = reverse ? further.toReversed() : [...further];
  for await (const found of events) {
    const isDue = ({ position }: RecordedEvent) =>
      reverse ? position > found.record.position : position < found.record.position;
    for (let [next] = waiting; next && isDue(next); [next] = waiting) {
      yield { record: next };
      waiting.shift();
    }
    yield found;
  }
  for (const record of waiting) yield { record };
}
