import { z } from 'zod';
import { logPositionForm } from '../../contracts/log-position.ts';
import { type EventLog, type Position, startOfLog } from '../log/log.ts';
import { type Moment, momentAfter, momentAt } from './moment.ts';

/** A text that names no moment. */
export class NoMoment extends Error {
  override readonly name = 'NoMoment';
}

/** Whether a text has the form of a position, and not that of a time. */
export function isPositionForm(text: string): boolean {
  return logPositionForm.test(text);
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

const isoTime = z.iso.datetime({ offset: true });

/**
 * The moment that a request names: whole seconds since 1970, an ISO time with its zone, or a position.
 * @param now in milliseconds since 1970: what comes later is not known yet
 * @throws NoMoment; LogFailure
 */
export async function momentNamed(
  log: Pick<EventLog, 'at' | 'end'>,
  text: string,
  now: number,
): Promise<Moment> {
  if (isPositionForm(text)) return momentAtPosition(log, text);
  const time = /^\d{1,12}$/.test(text) ? Number(text) * 1000 : Date.parse(isoTime.safeParse(text).data ?? '');
  if (Number.isNaN(time)) {
    throw new NoMoment(
      `"${text}" is neither seconds since 1970, nor an ISO time with its zone, nor a position`,
    );
  }
  return momentAt(Math.min(time, now));
}
