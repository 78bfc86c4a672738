import { type Decoded, decodeUncached, UnreadableEvent } from '../log/codec.ts';
import type { EventPlace, RecordedEvent, StreamName } from '../log/log.ts';
import { Skips } from '../log/skips.ts';
import { type Moment, recordsUntil } from './moment.ts';
import type { ReadableLog } from './readable-log.ts';

/**
 * The events of some streams in the order of the log, up to a moment; without those that an operator
 * decided to skip, whenever that was. Holds a page of each stream in memory.
 * @throws UnreadableEvent, LogFailure
 */
export function mergedStreams(
  log: ReadableLog,
  streams: readonly StreamName[],
  moment: Moment,
): AsyncGenerator<Decoded, void, undefined> {
  return eventsUntil(log, log.readStreams(streams), moment);
}

/**
 * Some single events, as `mergedStreams` gives those of streams.
 * @param places in the order of the log
 */
export function singleEvents(
  log: ReadableLog,
  places: readonly EventPlace[],
  moment: Moment,
): AsyncGenerator<Decoded, void, undefined> {
  return eventsUntil(log, log.readEvents(places), moment);
}

/** Events that each come in the order of the log, in that order. */
export async function* merged<Event extends Pick<RecordedEvent, 'position'>>(
  some: AsyncIterable<Event>,
  others: AsyncIterable<Event>,
): AsyncGenerator<Event, void, undefined> {
  const rest = others[Symbol.asyncIterator]();
  try {
    let other = await rest.next();
    for await (const record of some) {
      for (; !other.done && other.value.position < record.position; other = await rest.next())
        yield other.value;
      yield record;
    }
    for (; !other.done; other = await rest.next()) yield other.value;
  } finally {
    // Who stops reading, or a failure of the one, ends both reads.
    await rest.return?.();
  }
}

/** The events of the whole log up to a moment, as `mergedStreams` gives those of some streams. */
export function allEvents(
  log: ReadableLog,
  prefixes: readonly string[],
  moment: Moment,
): AsyncGenerator<Decoded, void, undefined> {
  return eventsUntil(log, log.readAll({ prefixes }), moment);
}

async function* eventsUntil(
  log: ReadableLog,
  records: AsyncIterable<RecordedEvent>,
  moment: Moment,
): AsyncGenerator<Decoded, void, undefined> {
  const skips = new Skips(log);
  await skips.refresh();
  for await (const record of recordsUntil(records, moment)) {
    if (skips.has(record)) continue;
    const event = decodeUncached(record);
    if (event instanceof UnreadableEvent) throw event;
    yield event;
  }
}
