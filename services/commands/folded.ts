import type { DomainEvent, EventMetadata } from '../../contracts/events/index.ts';
import type { Aggregate, AggregateStream } from '../domain/aggregate.ts';
import type { Decoded } from '../log/codec.ts';
import { type EventId, type EventLog, type Position, startOfLog } from '../log/log.ts';

/** An event with its position and time. */
export type PositionedEvent = DomainEvent &
  Pick<Decoded, 'id' | 'revision' | 'position'> & { readonly metadata: Pick<EventMetadata, 'time'> };

/** The revision of a skipped event: it changes nothing, and the next revision follows it. */
export interface SkippedRevision {
  readonly type: 'skipped';
  readonly revision: number;
  readonly position: Position;
}

/** A stream's state as far as it was folded. */
export interface Folded {
  readonly aggregate: Aggregate<unknown>;
  state: unknown;
  revision: number;
  position: Position;
  /** The id of the last event that was folded; undefined if that was skipped. */
  lastId: EventId | undefined;
  /** The revision of the last snapshot; -1 if there is none. */
  snapshotRevision: number;
  /** How many of the stream's events were skipped by decision when the fold began. */
  readonly skipped: number;
  /**
   * The ids folded last, if the log may store one event twice; the first counts. Older ids, and those before
   * a snapshot, are not needed: appends to these streams name the expected revision, so a repeat
   * after events of others is a conflict.
   */
  readonly seen: Set<EventId> | null;
}

/**
 * A stream of which nothing is folded yet. Only its own events may be folded into it.
 * @param skipped how many of its events are skipped by decision
 */
export function emptyFold<State, Event extends DomainEvent>(
  { aggregate }: AggregateStream<State, Event>,
  remembersIds: EventLog['remembersIds'],
  skipped = 0,
): Folded {
  return {
    // The streams of one name always come with the same aggregate.
    aggregate: aggregate as unknown as Aggregate<unknown>,
    state: aggregate.initial(),
    revision: -1,
    position: startOfLog,
    lastId: undefined,
    snapshotRevision: -1,
    skipped,
    seen: remembersIds === 'forever' ? null : new Set(),
  };
}

/** How many ids of a stream are remembered, the last ones. */
export const maxRememberedIds = 1_000;

/** How many ids weigh as much as one unit of an aggregate's weight; an id has 36 characters. */
const idsPerWeight = 10;

/** The memory that a state takes, in the units of the aggregates' weights. */
export function weightOf({ aggregate, state, seen }: Folded): number {
  return Math.ceil(aggregate.weight(state) + (seen?.size ?? 0) / idsPerWeight);
}

/** Folds an event, unless it was folded before. */
export function fold(folded: Folded, event: PositionedEvent | SkippedRevision): void {
  if (event.revision <= folded.revision) return;
  folded.revision = event.revision;
  folded.position = event.position;
  folded.lastId = event.type === 'skipped' ? undefined : event.id;
  if (event.type === 'skipped') return;
  if (folded.seen?.has(event.id)) return;
  if (folded.seen) remember(folded.seen, event.id);
  folded.state = folded.aggregate.evolve(folded.state, event, Math.floor(event.metadata.time / 1000));
}

function remember(seen: Set<EventId>, id: EventId): void {
  seen.add(id);
  if (seen.size <= maxRememberedIds) return;
  for (const oldest of seen.values().take(1)) seen.delete(oldest);
}
