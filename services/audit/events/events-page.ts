import type { EventLog } from '../../log/log.ts';
import type { AuditSearch } from '../index/search.ts';
import { type EventFilter, matches } from './filter.ts';
import type { FoundEvent } from './find-events.ts';
import { readFound } from './found-records.ts';

/** A page is cut when its events hold this many characters of data; it has one event at least. */
const maxPageCharacters = 4_000_000;

export interface PageOptions {
  readonly log: EventLog;
  readonly search: AuditSearch;
  readonly filter: EventFilter;
  /** The number where the page begins, itself included; by default at the end that is shown first. */
  readonly from?: number | undefined;
  /** The last event first. */
  readonly reverse: boolean;
  readonly limit: number;
}

/** Some events, and the number where the next page begins: null if there are no more in the index. */
export interface EventsPage {
  readonly events: readonly Required<FoundEvent>[];
  readonly next: number | null;
}

/** One page of the events that a filter asks for, by the index. @throws LogFailure, what the database throws */
export async function eventsPage(options: PageOptions): Promise<EventsPage> {
  const { log, search, filter, from, reverse, limit } = options;
  const whole = await search.range(filter, log);
  const low = reverse ? whole.low : Math.max(whole.low, from ?? 0);
  const high = reverse ? Math.min(whole.high, (from ?? whole.high) + 1) : whole.high;
  const found = await search.page(filter, { low, high }, { limit: limit + 1, reverse });
  const page = found.slice(0, limit);
  const events: Required<FoundEvent>[] = [];
  let characters = 0;
  for await (const { number, record } of readFound({ log, search, page, reverse })) {
    if (number === undefined || !matches(filter, record)) continue;
    characters += record.raw.data.length + record.raw.metadata.length;
    if (events.length > 0 && characters > maxPageCharacters) return { events, next: number };
    events.push({ number, record });
  }
  return { events, next: found[limit]?.number ?? null };
}
