import { expect } from 'vitest';
import type { CodeName } from '../../contracts/codes.ts';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { type Aggregate, fold } from '../../services/domain/aggregate.ts';

/** What is expected of a decision. */
interface Expectation<Event> {
  /** It gives exactly these events; and deciding the same again on the state after them gives none. */
  gives(...events: readonly Event[]): void;
  /** It gives exactly these events; the same again may well give more. */
  givesEachTime(...events: readonly Event[]): void;
  /** It gives nothing, since nothing would change. */
  givesNothing(): void;
  /** It throws the Refusal of that code, and again when it is tried again. */
  refuses(reason: CodeName): void;
}

/**
 * Reads as a scenario: given these events, when something is decided, then those events follow, or a
 * code. Each `given` folds anew, for folding consumes its state.
 */
export function given<State, Event extends DomainEvent>(
  aggregate: Aggregate<State, Event>,
  ...events: readonly NoInfer<Event>[]
): { when(decide: (state: State) => readonly Event[]): Expectation<Event> } {
  return {
    when(decide) {
      const after = (...more: readonly Event[]) => decide(fold(aggregate, [...events, ...more]));
      return {
        gives(...expected) {
          const decided = after();
          expect(decided).toEqual(expected);
          expect(after(...decided), 'the same again').toEqual([]);
        },
        givesEachTime(...expected) {
          expect(after()).toEqual(expected);
        },
        givesNothing() {
          expect(after()).toEqual([]);
        },
        refuses(reason) {
          expect(after).toThrow(expect.objectContaining({ name: 'Refusal', reason }));
          expect(after, 'the same again').toThrow(expect.objectContaining({ name: 'Refusal', reason }));
        },
      };
    },
  };
}
