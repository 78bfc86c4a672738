import type { Position, RecordedEvent } from '../log/log.ts';

/** A moment of the past, as a question names it. */
export interface Moment {
  /** In milliseconds since 1970. */
  readonly time: number;
  /** Whether an event had happened by then. Of two events, if the later one had, so had the earlier one. */
  includes(record: Pick<RecordedEvent, 'position' | 'recorded'>): boolean;
  /** Whether it is a moment before now. */
  readonly past: boolean;
}

/** The present: everything that the log holds. */
export function presentMoment(now: number): Moment {
  return { time: now, past: false, includes: () => true };
}

/** The moment of a time, in milliseconds since 1970, by the clock of the log, which never goes back. */
export function momentAt(time: number): Moment {
  return { time, past: true, includes: ({ recorded }) => recorded <= time };
}

/** The moment after the event at a position, which the log took at `time`. */
export function momentAfter(position: Position, time: number): Moment {
  return { time, past: true, includes: (record) => record.position <= position };
}
