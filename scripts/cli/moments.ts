import type { Moment } from '../../services/audit/moment.ts';
import { isPositionForm, momentAtPosition, momentAtTime } from '../../services/audit/named-moment.ts';
import type { EventLog } from '../../services/log/log.ts';
import { time } from './arguments.ts';

/**
 * The moment that an option names: a time, as `timeOf` reads them, or the position of an event, after which it is.
 * @throws InvalidArgumentError, NoMoment, LogFailure
 */
export async function momentOf(log: Pick<EventLog, 'at' | 'end'>, text: string): Promise<Moment> {
  return isPositionForm(text) ? momentAtPosition(log, text) : momentAtTime(log, time(text), Date.now());
}
