import { type Position, startOfLog } from '../log.ts';

/** Enough for 2^53, above which a number would not be exact. */
const digits = 16;

/** How the nth event's place is told: of one width, so that positions compare as strings do. */
export function positionOf(place: number): Position {
  return place === 0 ? startOfLog : (String(place).padStart(digits, '0') as Position);
}

/** The inverse of `positionOf`. @throws TypeError for what is no position of this log. */
export function placeOf(position: Position): number {
  if (position === startOfLog) return 0;
  if (!/^\d{16}$/.test(position)) throw new TypeError(`not a position of a Postgres log: ${position}`);
  return Number(position);
}
