import type { ConversationId, Mid, Uid } from '../../../contracts/ids.ts';
import { decodeUncached } from '../../log/codec.ts';
import type { EventLog, Position, RecordedEvent, StreamName } from '../../log/log.ts';
import { categoryOf, entryOf } from '../index/entry.ts';

/** Which events are asked for: those that satisfy everything that is given. */
export interface EventFilter {
  /** Names of streams, or beginnings of names with a `*` at the end. */
  readonly streams?: readonly string[] | undefined;
  /** Categories of streams, as `group`. */
  readonly categories?: readonly string[] | undefined;
  readonly types?: readonly string[] | undefined;
  /** Who caused it: a uid, also if the server's key acted for that person; `server` for the server's key, `nobody` for strangers. */
  readonly by?: string | undefined;
  /** A person whom the event is about. */
  readonly about?: Uid | undefined;
  readonly conversation?: ConversationId | undefined;
  readonly mid?: Mid | undefined;
  /** The id of a request: everything that came of it. */
  readonly correlation?: string | undefined;
  /** The id of a request or an event: what it caused directly. */
  readonly causedBy?: string | undefined;
  /** When it was recorded, in milliseconds since 1970: from then on. */
  readonly since?: number | undefined;
  /** Before then. */
  readonly until?: number | undefined;
  /** Strictly after this position. */
  readonly after?: Position | undefined;
  /** Up to this position, itself included. */
  readonly upTo?: Position | undefined;
}

/** What of a filter bounds the time or the position. */
const bounds: ReadonlySet<string> = new Set<keyof EventFilter>(['since', 'until', 'after', 'upTo']);

/** Whether nothing but bounds of time and position is asked for. */
export function isUnrestricted(filter: EventFilter): boolean {
  return Object.entries(filter).every(([name, value]) => value === undefined || bounds.has(name));
}

/** The streams that a filter names whole, if it names no beginnings. */
export function wholeStreams({ streams }: EventFilter): readonly StreamName[] | undefined {
  if (streams === undefined || streams.some((stream) => stream.endsWith('*'))) return undefined;
  return streams as readonly StreamName[];
}

/** Beginnings of the names of the streams where what is asked for lies; undefined for all. */
export function prefixesOf({ streams, categories }: EventFilter): string[] | undefined {
  return (streams ?? categories)?.map((name) => (name.endsWith('*') ? name.slice(0, -1) : name));
}

/** The bounds of a filter, as who asks calls them. */
export type BoundNames = Readonly<Record<'since' | 'until' | 'after' | 'upTo', string>>;

/**
 * Whether the bounds of a filter leave nothing between them, whatever the log holds.
 * @returns the name of the lower bound, and what is wrong in words; undefined if something can lie between them
 */
export function crossedBounds(
  { since, until, after, upTo }: EventFilter,
  names: BoundNames,
): { readonly name: string; readonly words: string } | undefined {
  const crossed = (lower: string, upper: string) => ({
    name: lower,
    words: `${lower} is not before ${upper}, so nothing lies between them`,
  });
  if (since !== undefined && until !== undefined && since >= until) return crossed(names.since, names.until);
  if (after !== undefined && upTo !== undefined && after >= upTo) return crossed(names.after, names.upTo);
  return undefined;
}

/** Whether an event is asked for. */
export function matches(filter: EventFilter, record: RecordedEvent): boolean {
  return (
    isWithinBounds(filter, record) &&
    inStreams(filter, record) &&
    (filter.types?.includes(record.type) ?? true) &&
    matchesEntry(filter, record)
  );
}

/** Whether an event is before the beginning of what is asked for. */
function isBefore({ after, since }: EventFilter, { position, recorded }: RecordedEvent): boolean {
  return (after !== undefined && position <= after) || (since !== undefined && recorded < since);
}

/** Whether an event is past the end of what is asked for. */
function isPast({ until, upTo }: EventFilter, { position, recorded }: RecordedEvent): boolean {
  return (upTo !== undefined && position > upTo) || (until !== undefined && recorded >= until);
}

/** The bounds of a filter that nothing of a log crosses again that was read past them. */
function lastingBounds(
  filter: EventFilter,
  { recordedAscends }: Pick<EventLog, 'recordedAscends'>,
): EventFilter {
  return recordedAscends ? filter : { after: filter.after, upTo: filter.upTo };
}

/**
 * Whether a reading of a log can end at an event, since what follows is not asked for either.
 * @param reverse whether the last event is read first
 */
export function endsReading(
  log: Pick<EventLog, 'recordedAscends'>,
  filter: EventFilter,
  reverse: boolean,
): (record: RecordedEvent) => boolean {
  const bounds = lastingBounds(filter, log);
  return reverse ? (record) => isBefore(bounds, record) : (record) => isPast(bounds, record);
}

/** Whether an event is within the bounds of time and position of what is asked for. */
export function isWithinBounds(filter: EventFilter, record: RecordedEvent): boolean {
  return !isBefore(filter, record) && !isPast(filter, record);
}

function inStreams({ streams, categories }: EventFilter, { stream }: RecordedEvent): boolean {
  if (categories !== undefined && !categories.includes(categoryOf(stream))) return false;
  if (streams === undefined) return true;
  return streams.some((name) =>
    name.endsWith('*') ? stream.startsWith(name.slice(0, -1)) : stream === name,
  );
}

function matchesEntry(filter: EventFilter, record: RecordedEvent): boolean {
  const { by, about, conversation, mid, correlation, causedBy } = filter;
  const asked = [by, about, conversation, mid, correlation, causedBy];
  if (asked.every((value) => value === undefined)) return true;
  const entry = entryOf(record, decodeUncached(record));
  return (
    (by === undefined || entry.actor === by || String(entry.actedFor) === by) &&
    (about === undefined || entry.people.includes(about)) &&
    (conversation === undefined || entry.conversation === conversation) &&
    (mid === undefined || entry.mid === mid) &&
    (correlation === undefined || entry.correlation === correlation) &&
    (causedBy === undefined || entry.causation === causedBy)
  );
}
