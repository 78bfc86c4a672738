import type { RecordedEvent } from '../../log/log.ts';

type Named = Pick<RecordedEvent, 'id' | 'stream'>;

/**
 * Events without those that their stream has a second time under one id, as EventStoreDB may: only the first one counts.
 * @param known events before these of which an id may be a repeat
 */
export function withoutRepeats<Event extends Named>(
  events: readonly Event[],
  known: readonly Named[],
): Event[] {
  const keyOf = ({ id, stream }: Named) => `${id} ${stream}`;
  const seen = new Set(known.map(keyOf));
  return events.filter((event) => {
    const key = keyOf(event);
    return !seen.has(key) && seen.add(key);
  });
}
