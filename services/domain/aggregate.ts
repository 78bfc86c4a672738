import type { DomainEvent } from '../../contracts/events/index.ts';
import type { StreamName } from '../log/log.ts';

/** What is decided about as one: a stream of events, and the state that folding them gives. */
export interface Aggregate<State, Event extends DomainEvent = DomainEvent> {
  /**
   * Of the fold: to be raised whenever `evolve` makes another state of the same events, for states that an
   * older version folded are kept. test/domain/fold-versions.test.ts fails where that is forgotten.
   */
  readonly version: number;
  /** The state of a stream that has no events. */
  readonly initial: () => State;
  /**
   * The state after one more event, which happened at `time` (whole seconds since 1970). It consumes the
   * state it is given: the caller goes on with the answer alone, so that a group of thousands is not
   * copied for each who joins. It takes the same time whatever the number of events before.
   */
  readonly evolve: (state: State, event: Event, time: number) => State;
  /** Roughly how many entries of ordinary size the state is worth in a bounded memory. */
  readonly weight: (state: State) => number;
}

/** A stream of an aggregate. */
export interface AggregateStream<State, Event extends DomainEvent = DomainEvent> {
  readonly aggregate: Aggregate<State, Event>;
  readonly name: StreamName;
}

/** Names a stream. The only place where a plain string becomes one. */
export function streamName(name: string): StreamName {
  return name as StreamName;
}

/** Folds events from the beginning; they all happened at `time`, in whole seconds since 1970. */
export function fold<State, Event extends DomainEvent>(
  aggregate: Aggregate<State, Event>,
  events: Iterable<Event>,
  time = 0,
): State {
  let state = aggregate.initial();
  for (const event of events) state = aggregate.evolve(state, event, time);
  return state;
}
