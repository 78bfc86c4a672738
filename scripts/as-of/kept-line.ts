import { filesize } from 'filesize';
import type { KeptSchema } from '../../services/audit/as-of/past-schemas.ts';
import { localTime } from '../../services/audit/local-time.ts';

/** What is kept, in a line: its schema, its moment, whom it shows, its size, and when it was made. */
export function keptLine({ schema, moment, people, profiles, bytes, made }: KeptSchema): string {
  const time = /^time (\d+)$/.exec(moment)?.[1];
  const when = time === undefined ? `after ${moment}` : localTime(Number(time));
  const whom = people === undefined ? 'everybody' : [...people, ...profiles].join(', ') || 'nobody';
  const since = made === undefined ? '' : `, made ${localTime(made)}`;
  return `${schema}  ${when}  of ${whom}  ${filesize(bytes)}${since}`;
}
