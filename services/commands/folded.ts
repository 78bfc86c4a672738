import type { DomainEvent, EventMetadata } from '../../contracts/events/index.ts';
import type { Aggregate } from '../domain/aggregate.ts';
import type { Decoded } from '../log/codec.ts';
import { type EventId, type EventLog, type Position, startOfLog } from '../log/log.ts';
import type { StoredState } from './snapshots.ts';

/** An event with its position and time. */
export type PositionedEvent = DomainEvent &
  Pick<Decoded, 'id' | 'revision' | 'position'> & { readonly metadata: Pick<EventMetadata, 'time'> };

/** The revision of a skipped event: it changes nothing, and the next revision follows it. */
export interface SkippedRevision {
  readonly type: 'skipped';
  readonly revision: number;
  readonly position: Position;
}

/** A stream's state as far as it was folded. The type of the state is known to those who know the aggregate. */
export interface Folded<State = unknown> {
  /** The version of the aggregate. */
  readonly version: number;
  readonly state: State;
  /** -1 if nothing is folded yet. */
  readonly revision: number;
  readonly position: Position;
  /** The id of the last event that was folded; undefined if that was skipped. */
  readonly lastId: EventId | undefined;
  /** The revision of the last snapshot; -1 if there is none. */
  snapshotRevision: number;
  /** How many of the stream's events were skipped by decision when the fold began. */
  readonly skipped: number;
  /** The memory that the state takes, in the units of the aggregates' weights. */
  readonly weight: number;
  /** Folds an event, unless it was folded before. */
  fold(event: PositionedEvent | SkippedRevision): void;
  /** Continues from a state that this version of the aggregate folded from the stream. */
  restore(stored: StoredState, position: Position): void;
}

/** How many ids of a stream are remembered, the last ones. */
export const maxRememberedIds = 1_000;

/** How many ids weigh as much as one unit of an aggregate's weight; an id has 36 characters. */
const idsPerWeight = 10;

/** Folds one stream. Only its own events may be folded into it. */
export class StreamFold<State, Event extends DomainEvent> implements Folded<State> {
  state: State;
  revision = -1;
  position = startOfLog;
  lastId: EventId | undefined;
  snapshotRevision = -1;
  readonly skipped: number;
  readonly #aggregate: Aggregate<State, Event>;
  /**
   * The ids folded last, if the log may store one event twice; the first counts. Older ids, and those before
   * a snapshot, are not needed: appends to these streams name the expected revision, so a repeat
   * after events of others is a conflict.
   */
  readonly #seen: Set<EventId> | null;

  /** @param skipped how many events of the stream are skipped by decision */
  constructor(aggregate: Aggregate<State, Event>, remembersIds: EventLog['remembersIds'], skipped = 0) {
    this.#aggregate = aggregate;
    this.#seen = remembersIds === 'forever' ? null : new Set();
    this.state = aggregate.initial();
    this.skipped = skipped;
  }

  get version(): number {
    return this.#aggregate.version;
  }

  get weight(): number {
    return Math.ceil(this.#aggregate.weight(this.state) + (this.#seen?.size ?? 0) / idsPerWeight);
  }

  fold(event: PositionedEvent | SkippedRevision): void {
    if (event.revision <= this.revision) return;
    this.revision = event.revision;
    this.position = event.position;
    this.lastId = event.type === 'skipped' ? undefined : event.id;
    if (event.type === 'skipped') return;
    if (this.#seen?.has(event.id)) return;
    if (this.#seen) remember(this.#seen, event.id);
    // The stream's own event.
    const own = event as PositionedEvent & Event;
    this.state = this.#aggregate.evolve(this.state, own, Math.floor(event.metadata.time / 1000));
  }

  restore({ state, revision, eventId }: StoredState, position: Position): void {
    // The version says which type it has.
    this.state = state as State;
    this.revision = revision;
    this.position = position;
    this.lastId = eventId;
    this.snapshotRevision = revision;
  }
}

function remember(seen: Set<EventId>, id: EventId): void {
  seen.add(id);
  if (seen.size <= maxRememberedIds) return;
  for (const oldest of seen.values().take(1)) seen.delete(oldest);
}
