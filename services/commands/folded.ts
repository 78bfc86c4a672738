import type { DomainEvent, EventMetadata } from '../../contracts/events/index.ts';
import type { Aggregate } from '../domain/aggregate.ts';
import type { Decoded } from '../log/codec.ts';
import type { EventId, Position } from '../log/log.ts';

/** An event with its place and time. */
export type Placed = DomainEvent &
  Pick<Decoded, 'id' | 'revision' | 'position'> & { readonly metadata: Pick<EventMetadata, 'time'> };

/** The place of an event that is passed over: the next revision follows on it. */
export interface PassedOver {
  readonly type: 'passed over';
  readonly revision: number;
  readonly position: Position;
}

/** A stream's state as far as it was folded. */
export interface Folded {
  readonly aggregate: Aggregate<unknown>;
  state: unknown;
  revision: number;
  position: Position;
  /** The last event that was folded; undefined where that was passed over. */
  lastId: EventId | undefined;
  /** The revision of the last snapshot; -1: there is none. */
  kept: number;
  /** How many of the stream's events were passed over by decision when the fold began. */
  readonly skipped: number;
  /**
   * Ids seen last, where the store under the log may keep one event twice; the first counts. Older ones, and
   * those before a snapshot, need not be among them: all appends to these streams name the expected revision,
   * so that a repeat which comes later than others' events conflicts.
   */
  readonly seen: Set<EventId> | null;
}

/** So many ids of a stream are remembered, the last ones. */
export const rememberedIds = 1_000;

/** So many ids weigh as much as one of an aggregate's weights: 40 characters each. */
const idsToAWeight = 10;

/** How much memory a state takes, in the aggregates' own weights. */
export function weightOf({ aggregate, state, seen }: Folded): number {
  return Math.ceil(aggregate.weight(state) + (seen?.size ?? 0) / idsToAWeight);
}

/** Folds an event, unless it was folded before. */
export function fold(folded: Folded, event: Placed | PassedOver): void {
  if (event.revision <= folded.revision) return;
  folded.revision = event.revision;
  folded.position = event.position;
  folded.lastId = event.type === 'passed over' ? undefined : event.id;
  if (event.type === 'passed over') return;
  if (folded.seen?.has(event.id)) return;
  if (folded.seen) remember(folded.seen, event.id);
  folded.state = folded.aggregate.evolve(folded.state, event, Math.floor(event.metadata.time / 1000));
}

function remember(seen: Set<EventId>, id: EventId): void {
  seen.add(id);
  if (seen.size <= rememberedIds) return;
  for (const oldest of seen.values().take(1)) seen.delete(oldest);
}
