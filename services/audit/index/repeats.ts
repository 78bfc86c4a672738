import type { EventLog, EventPlace, RecordedEvent } from '../../log/log.ts';
import { isNameBased } from '../../log/name-based-id.ts';
import { Skips } from '../../log/skips.ts';
import { canonicalJson } from '../tree/canonical-json.ts';

type Named = Pick<RecordedEvent, 'id' | 'stream' | 'revision'>;

/** An event whose stream has its id before, as EventStoreDB may. */
export interface Repeat<Event extends Named = Named> {
  readonly event: Event;
  /** The revision of the first event of the id. */
  readonly first: number;
}

/** An event under the id of another one, which no append of the program leaves, so that it was written past it. */
export type FalseRepeat = Repeat<Omit<RecordedEvent, 'data' | 'metadata' | 'raw'>>;

/** How many repeats are read at once. */
const readAtOnce = 100;

/** An append under an id that is not made from a name is tried again for 10 s; the clocks of two servers may differ as well. */
const retriedWithinMs = 60_000;

/**
 * The members of data of which the id was made, if it was made of a name (UUID version 5). A call that comes again after
 * the store has forgotten the id decides once more, so that the rest may differ: another mid, other words starred out.
 */
const namedBy: Readonly<Record<string, readonly string[]>> = {
  MessageSent: ['from', 'conversation', 'uniqueId'],
  EventSkipped: ['stream', 'eventId', 'revision'],
};

/**
 * Parts events into those that are the first of their id in their stream, and repeats.
 * @param known events before these of which an id may be a repeat
 */
export function partRepeats<Event extends Named>(
  events: readonly Event[],
  known: readonly Named[],
): { firsts: Event[]; repeats: Repeat<Event>[] } {
  const keyOf = ({ id, stream }: Named) => `${id} ${stream}`;
  const seen = new Map<string, number>();
  const firsts: Event[] = [];
  const repeats: Repeat<Event>[] = [];
  for (const event of [...known].sort((one, other) => other.revision - one.revision))
    seen.set(keyOf(event), event.revision);
  for (const event of events) {
    const first = seen.get(keyOf(event));
    if (first === undefined) {
      seen.set(keyOf(event), event.revision);
      firsts.push(event);
    } else if (first !== event.revision) repeats.push({ event, first });
  }
  return { firsts, repeats };
}

/**
 * Those repeats that are not the first event of their id once more, and that no operator has decided to skip. Of a first
 * event that the store hides nothing is said, nor of events that have different ids in the log.
 * @throws LogFailure
 */
export async function* falseRepeats(
  log: Pick<EventLog, 'readEvents' | 'readStream'>,
  repeats: readonly Repeat[],
): AsyncGenerator<FalseRepeat, void, undefined> {
  for await (const { skipped, ...found } of judgedRepeats(log, repeats)) if (!skipped) yield found;
}

/** As `falseRepeats`, with those that an operator has decided to skip. @throws LogFailure */
export async function* judgedRepeats(
  log: Pick<EventLog, 'readEvents' | 'readStream'>,
  repeats: readonly Repeat[],
): AsyncGenerator<FalseRepeat & { readonly skipped: boolean }, void, undefined> {
  if (repeats.length === 0) return;
  const skips = new Skips(log);
  await skips.refresh();
  for (let from = 0; from < repeats.length; from += readAtOnce) {
    const some = repeats.slice(from, from + readAtOnce);
    const places = new Map<string, EventPlace>();
    for (const { event, first } of some) {
      const { stream } = event;
      for (const revision of [first, event.revision])
        places.set(keyOf({ stream, revision }), { stream, revision });
    }
    const records = new Map<string, RecordedEvent>();
    for await (const record of log.readEvents([...places.values()])) records.set(keyOf(record), record);
    for (const { event, first } of some) {
      const before = records.get(keyOf({ stream: event.stream, revision: first }));
      const record = records.get(keyOf(event));
      if (before?.id !== undefined && before.id === record?.id && !isRepeatOf(record, before))
        yield { event: record, first, skipped: skips.has(record) };
    }
  }
}

/** Whether an event is what an append that is tried again leaves. The metadata of such a one may differ: a call has its own. */
function isRepeatOf(event: RecordedEvent, first: RecordedEvent): boolean {
  if (event.type !== first.type) return false;
  const isOfName = isNameBased(event.id);
  if (canonicalJson(event.data) === canonicalJson(first.data)) {
    return isOfName || Math.abs(event.recorded - first.recorded) < retriedWithinMs;
  }
  const names = isOfName ? namedBy[event.type] : undefined;
  return (
    names?.every((name) => event.data[name] !== undefined && event.data[name] === first.data[name]) ?? false
  );
}

function keyOf({ stream, revision }: EventPlace): string {
  return `${stream}@${revision}`;
}
