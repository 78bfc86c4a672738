import type { DomainEvent } from '../../contracts/events/index.ts';
import type { StreamName } from '../log/log.ts';

/** The unit of deciding: a stream of events, and the state that folding them gives. */
export interface Aggregate<State, Event extends DomainEvent = DomainEvent> {
  /**
   * Version of the fold. Raise it when `evolve` makes another state of the same events, since snapshots keep states
   * of older versions; test/domain/fold-versions.test.ts fails if that is forgotten.
   */
  readonly version: number;
  /** The state of a stream that has no events. */
  readonly initial: () => State;
  /**
   * The state after one more event, which happened at `time` (whole seconds since 1970). It may change the given
   * state, which the caller must not use again, so that a group of thousands is not copied for each person who
   * joins. Its time does not depend on the number of earlier events.
   */
  readonly evolve: (state: State, event: Event, time: number) => State;
  /** The size of the state in a bounded memory, in entries of ordinary size. */
  readonly weight: (state: State) => number;
}

/** A stream of an aggregate. */
export interface AggregateStream<State, Event extends DomainEvent = DomainEvent> {
  readonly aggregate: Aggregate<State, Event>;
  readonly name: StreamName;
}

/** The name of a stream. Only here a plain string becomes one. */
export function streamName(name: string): StreamName {
  return name as StreamName;
}

/** Folds events from the beginning, all of which happened at `time` (whole seconds since 1970). */
export function fold<State, Event extends DomainEvent>(
  aggregate: Aggregate<State, Event>,
  events: Iterable<Event>,
  time = 0,
): State {
  let state = aggregate.initial();
  for (const event of events) state = aggregate.evolve(state, event, time);
  return state;
}
