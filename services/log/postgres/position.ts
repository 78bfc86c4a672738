import { type Position, startOfLog } from '../log.ts';

/** Enough for 2^53, above which a number would not be exact. */
const digits = 16;

/**
 * The position of the event with this number: the column `position` of log.events, 1 for the first event. Padded
 * to a fixed width, so that positions compare as strings.
 */
export function positionOf(eventNumber: number): Position {
  return eventNumber === 0 ? startOfLog : (String(eventNumber).padStart(digits, '0') as Position);
}

/** The inverse of `positionOf`. @throws TypeError for a position of another kind of log */
export function eventNumberOf(position: Position): number {
  if (position === startOfLog) return 0;
  if (!/^\d{16}$/.test(position)) throw new TypeError(`not a position of a Postgres log: ${position}`);
  return Number(position);
}
