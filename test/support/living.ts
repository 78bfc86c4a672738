import { expect } from 'vitest';
import { Refusal } from '../../contracts/codes.ts';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { type Aggregate, fold } from '../../services/domain/aggregate.ts';

/** A command: what it decides on a state, as the step of that number. */
export type Decide<State, Event> = (state: State, step: number) => readonly Event[];

/**
 * Carries out commands one after the other, as they are carried out in truth: decide on the folded
 * state, append, go on; what is refused changes nothing. `check` sees every state with its history.
 */
export function live<State, Event extends DomainEvent>(
  aggregate: Aggregate<State, Event>,
  commands: readonly Decide<State, Event>[],
  check: (state: State, events: readonly Event[]) => void,
): Event[] {
  const events: Event[] = [];
  commands.forEach((command, step) => {
    let decided: readonly Event[] = [];
    const before = events.length;
    try {
      decided = command(fold(aggregate, events), step);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
    events.push(...decided);
    check(fold(aggregate, events), events);
    if (events.length > before) expect(aggregate.weight(fold(aggregate, events))).toBeGreaterThan(0);
  });
  return events;
}

/** Folding on from a stored state gives what folding from the beginning gives. */
export function foldsInParts<State, Event extends DomainEvent>(
  aggregate: Aggregate<State, Event>,
  events: readonly Event[],
  cut: number,
): void {
  let state = fold(aggregate, events.slice(0, cut));
  for (const event of events.slice(cut)) state = aggregate.evolve(state, event, 0);
  expect(state).toEqual(fold(aggregate, events));
}
