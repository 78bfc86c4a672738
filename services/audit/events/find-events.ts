import { categories } from '../../../contracts/events/index.ts';
import {
  type EventLog,
  type Position,
  type RecordedEvent,
  type StreamName,
  startOfLog,
} from '../../log/log.ts';
import type { AuditSearch, Coverage, Range } from '../index/search.ts';
import {
  type EventFilter,
  endsReading,
  isUnrestricted,
  isWithinBounds,
  matches,
  prefixesOf,
  wholeStreams,
} from './filter.ts';
import { readFound } from './found-records.ts';
import { repeatedEvents, withFurther } from './repeated-events.ts';

export interface FindOptions {
  readonly log: EventLog;
  /** The index, if there is one of this log, and how far it reaches. */
  readonly index?: { readonly search: AuditSearch; readonly coverage: Coverage } | undefined;
  readonly filter: EventFilter;
  /** The last event first. */
  readonly reverse?: boolean;
  readonly limit?: number;
  /** Called for each event that is read, whether it is asked for or not. */
  readonly onRead?: (() => void) | undefined;
  /** Ends the search with its reason. */
  readonly signal?: AbortSignal;
}

/** An event that was asked for, and its number if it was found in the index. */
export interface FoundEvent {
  readonly number?: number;
  readonly record: RecordedEvent;
}

/** How many events the index is asked for at once: few at first, so that the first events come soon. */
const firstPageSize = 500;
const pageSize = 4_000;

/** How many events without an index can be read in the reverse order: they are held in memory. */
const maxReversedWithoutIndex = 10_000;

/** A search that this log cannot do without an index. */
export class NeedsIndex extends Error {
  override readonly name = 'NeedsIndex';
}

/**
 * The events that a filter asks for, in the order of the log or in the reverse order. It takes the quickest way that
 * there is: streams that are named are read by themselves; what only bounds restrict is read from the log; what else
 * is asked for is found in the index, and in the log beyond its end. Without an index the log is read whole.
 * Memory is level, whatever is asked for.
 * @throws NeedsIndex, LogFailure, what the database throws, the signal's reason
 */
export function findEvents(options: FindOptions): AsyncIterable<FoundEvent> {
  const { limit = Number.POSITIVE_INFINITY } = options;
  // Each generator between log and caller takes its time for each of millions of events.
  return limit === Number.POSITIVE_INFINITY ? sourceOf(options) : first(limit, sourceOf(options));
}

async function* first(
  limit: number,
  events: AsyncIterable<FoundEvent>,
): AsyncGenerator<FoundEvent, void, undefined> {
  let given = 0;
  if (limit <= 0) return;
  for await (const found of events) {
    yield found;
    if (++given >= limit) return;
  }
}

/** The quickest way to what is asked for. */
function sourceOf(options: FindOptions): AsyncIterable<FoundEvent> {
  const { index, filter, reverse = false } = options;
  const streams = wholeStreams(filter);
  if (streams !== undefined) return inStreams(streams, options);
  if (index === undefined) return reverse ? reversed(scan(filter, options), options) : scan(filter, options);
  if (!reverse && isUnrestricted(filter)) {
    return withinBounds(index, options);
  }
  return indexedAndBeyond(index, options);
}

async function* inStreams(
  streams: readonly StreamName[],
  { log, filter, reverse = false, signal, onRead }: FindOptions,
): AsyncGenerator<FoundEvent, void, undefined> {
  const ends = endsReading(log, filter, reverse);
  for await (const record of log.readStreams(streams, { direction: reverse ? 'backwards' : 'forwards' })) {
    signal?.throwIfAborted();
    onRead?.();
    if (ends(record)) return;
    if (matches(filter, record)) yield { record };
  }
}

/** What the index has, and what the log has beyond its end. */
async function* indexedAndBeyond(
  { search, coverage }: NonNullable<FindOptions['index']>,
  options: FindOptions,
): AsyncGenerator<FoundEvent, void, undefined> {
  const { filter, reverse = false } = options;
  const beyond = { ...filter, after: later(filter.after, coverage.checkpoint) };
  if (reverse) yield* reversed(scan(beyond, options), options);
  const repeats = await repeatedEvents(options.log, await search.repeats(), filter, coverage.checkpoint);
  yield* withFurther(indexed(search, await search.range(filter, options.log), options), repeats, reverse);
  if (!reverse) yield* scan(beyond, options);
}

/** What the log has between the bounds of a filter, as far as the index tells where they are. */
async function* withinBounds(
  { search, coverage }: NonNullable<FindOptions['index']>,
  options: FindOptions,
): AsyncGenerator<FoundEvent, void, undefined> {
  const { log, filter } = options;
  const { low, high } = await search.range(filter, log);
  const after = later(filter.after, await search.positionBefore(low));
  const ends = !log.recordedAscends && high < coverage.count;
  // Up to the first event behind the range: events under the ids of others lie before it, and have no number.
  const behind = ends ? earlier(filter.upTo, await search.positionBefore(high + 1)) : filter.upTo;
  yield* scan({ ...filter, after, upTo: behind }, options);
  // Where the clock was set back, what the index does not have yet may be of any time.
  if (ends) yield* scan({ ...filter, after: later(filter.after, coverage.checkpoint) }, options);
}

/** What the index has of a range. */
async function* indexed(
  search: AuditSearch,
  range: Range,
  { log, filter, reverse = false, limit = Number.POSITIVE_INFINITY, signal, onRead }: FindOptions,
): AsyncGenerator<FoundEvent, void, undefined> {
  let size = Math.min(limit, firstPageSize);
  for (let { low, high } = range; low < high; ) {
    const page = await search.page(filter, { low, high }, { limit: size, reverse });
    for await (const found of readFound({ log, search, page, reverse })) {
      signal?.throwIfAborted();
      onRead?.();
      // The index is made of the log; a row that does not match its event is not shown.
      if (matches(filter, found.record)) yield found;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < size) return;
    if (reverse) high = last.number;
    else low = last.number + 1;
    size = Math.min(limit, pageSize);
  }
}

/** What the log has, read from its beginning or from where the filter begins. */
async function* scan(
  filter: EventFilter,
  { log, signal, onRead }: Pick<FindOptions, 'log' | 'signal' | 'onRead'>,
): AsyncGenerator<FoundEvent, void, undefined> {
  const { after = startOfLog } = filter;
  const prefixes = prefixesOf(filter) ?? categories;
  const wanted = isUnrestricted(filter) ? () => true : matches;
  const ends = endsReading(log, filter, false);
  for await (const record of log.readAll({ after, prefixes })) {
    signal?.throwIfAborted();
    onRead?.();
    if (ends(record)) return;
    if (isWithinBounds(filter, record) && wanted(filter, record)) yield { record };
  }
}

/** The last ones of a scan, last first. @throws NeedsIndex if these are more than memory should hold */
async function* reversed(
  events: AsyncIterable<FoundEvent>,
  { limit = Number.POSITIVE_INFINITY }: FindOptions,
): AsyncGenerator<FoundEvent, void, undefined> {
  const held: FoundEvent[] = [];
  const maxHeld = Math.min(limit, maxReversedWithoutIndex);
  for await (const event of events) {
    held.push(event);
    if (held.length <= maxHeld) continue;
    if (limit > maxReversedWithoutIndex) {
      throw new NeedsIndex(
        `the index of the log does not reach to its end, and more than ${maxReversedWithoutIndex} events would have to ` +
          `be held to reverse them: give --limit, up to ${maxReversedWithoutIndex}, or wait for the index`,
      );
    }
    if (held.length > 2 * maxHeld) held.splice(0, held.length - maxHeld);
  }
  yield* held.slice(-maxHeld).reverse();
}

function earlier(one: Position | undefined, other: Position): Position {
  return one !== undefined && one < other ? one : other;
}

function later(one: Position | undefined, other: Position): Position {
  return one !== undefined && one > other ? one : other;
}
