import { localTime } from './local-time.ts';
import type { Moment } from './moment.ts';

/** Who or what a question names was not in the log at the moment of the question. */
export class NotFound extends Error {
  override readonly name = 'NotFound';

  /** @param what as `person 12` */
  constructor(what: string, { past, time }: Moment) {
    super(past ? `there was no ${what} on ${localTime(time)}` : `there is no ${what}`);
  }
}
