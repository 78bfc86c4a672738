import type { DomainEvent } from '../../contracts/events/index.ts';
import type { AggregateStream } from '../../services/domain/aggregate.ts';
import type { StreamName } from '../../services/log/log.ts';

/** The present states of one kind of stream. */
export class States<State, Event extends DomainEvent> {
  readonly #states = new Map<StreamName, State>();

  get({ name, aggregate }: AggregateStream<State, Event>): State {
    return this.#states.get(name) ?? aggregate.initial();
  }

  /** Folds events that happened at `time`, in whole seconds since 1970. */
  fold({ name, aggregate }: AggregateStream<State, Event>, events: readonly Event[], time: number): void {
    let state = this.get({ name, aggregate });
    for (const event of events) state = aggregate.evolve(state, event, time);
    this.#states.set(name, state);
  }
}
