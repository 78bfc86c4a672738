import { z } from 'zod';
import { logPositionForm } from '../../contracts/log-position.ts';
import { type EventLog, type Position, startOfLog } from '../log/log.ts';
import { localTime } from './local-time.ts';
import { happenedAt, isImpossible, type Moment, momentAfter, momentAt } from './moment.ts';

/** A text that names no moment, or one of which nothing is known yet. */
export class NoMoment extends Error {
  override readonly name = 'NoMoment';
}

/**
 * How far ahead of the clock here a time may be, in milliseconds: the clock of who asks may differ by some seconds. Such
 * a time is taken for now.
 */
const maxAheadMs = 10_000;

/** Whether a text has the form of a position, and not that of a time. */
export function isPositionForm(text: string): boolean {
  return logPositionForm.test(text);
}

/** A position as this log names them; undefined for a text that is none, or is one of another kind of log. */
export function positionNamed(log: Pick<EventLog, 'extent'>, text: string): Position | undefined {
  const position = text as Position;
  try {
    // Every log judges positions as its own: it throws for those of another kind.
    log.extent(position, position);
    return position;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The moment after the event at a position. @throws NoMoment; LogFailure */
export async function momentAtPosition(log: Pick<EventLog, 'at' | 'end'>, position: string): Promise<Moment> {
  // Every log judges positions as its own: it throws for those of another kind.
  const event = await log.at(position as Position).catch((error: unknown) => {
    if (error instanceof TypeError) return undefined;
    throw error;
  });
  if (event) return momentAfter(event);
  const end = await log.end();
  throw new NoMoment(
    `there is no event at position ${position}: ${end === startOfLog ? 'the log is empty' : `the last event is at ${end}`}`,
  );
}

/**
 * The moment of a time that is not in the future: neither later than now by the clock here, nor than the last event, which
 * another clock may have written.
 * @param time in milliseconds since 1970
 * @param now in milliseconds since 1970
 * @throws NoMoment; LogFailure
 */
export async function momentAtTime(
  log: Pick<EventLog, 'at' | 'end'>,
  time: number,
  now: number,
): Promise<Moment> {
  if (time <= now) return momentAt(time, now);
  const last = await log.at(await log.end());
  const happened = last ? happenedAt(last) : now;
  const known = isImpossible(happened, now) ? now : Math.max(now, happened);
  if (time - known <= maxAheadMs) return momentAt(Math.min(time, known), now);
  throw new NoMoment(
    `${localTime(time)} is in the future, of which nothing is known yet: it is ${localTime(now)} here`,
  );
}

const isoTime = z.iso.datetime({ offset: true });

/**
 * The time that a request names: whole seconds since 1970, or an ISO time with its zone.
 * @returns milliseconds since 1970
 * @throws NoMoment
 */
export function timeNamed(text: string): number {
  const time = /^\d{1,12}$/.test(text) ? Number(text) * 1000 : Date.parse(isoTime.safeParse(text).data ?? '');
  if (!Number.isNaN(time)) return time;
  throw new NoMoment(
    `"${text}" is neither seconds since 1970, nor an ISO time with its zone, nor a position`,
  );
}

/**
 * The moment that a request names: a time as `timeNamed` reads it, or a position.
 * @param now in milliseconds since 1970
 * @throws NoMoment; LogFailure
 */
export function momentNamed(log: Pick<EventLog, 'at' | 'end'>, text: string, now: number): Promise<Moment> {
  return isPositionForm(text) ? momentAtPosition(log, text) : momentAtTime(log, timeNamed(text), now);
}
