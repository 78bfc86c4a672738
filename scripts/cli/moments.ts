import { type Moment, momentAfter, momentAt } from '../../services/audit/moment.ts';
import type { EventLog } from '../../services/log/log.ts';
import { positionIn, time } from './arguments.ts';

/** Either log writes positions as digits of a fixed width; no time looks like that. */
const positionForm = /^[\d-]{16,40}$/;

/**
 * The moment that an option names: a time, as `timeOf` reads them, or the position of an event, after which it is.
 * @throws InvalidArgumentError, Error that shows a position of the log
 */
export async function momentOf(log: EventLog, option: string, text: string): Promise<Moment> {
  if (!positionForm.test(text)) return momentAt(Math.min(time(text), Date.now()));
  const position = await positionIn(log, option, text);
  const event = await log.at(position);
  if (event) return momentAfter(event);
  const end = await log.end();
  throw new Error(`${option} ${text} is the position of no event of this log; its last one is ${end}`);
}
