import { filesize } from 'filesize';
import type { KeptSchema } from '../../services/audit/as-of/shown.ts';
import { localTime } from '../../services/audit/local-time.ts';

/** What is kept, in a line: its schema, its moment, whom it shows, its size, and when it was made. */
export function keptLine(kept: KeptSchema): string {
  const { schema, moment, bytes, made } = kept;
  const time = /^time (\d+)$/.exec(moment)?.[1];
  const when = time === undefined ? `after ${moment}` : localTime(Number(time));
  const since = made === undefined ? '' : `, made ${localTime(made)}`;
  return `${schema}  ${when}  of ${shownIn(kept)}  ${filesize(bytes)}${since}`;
}

function shownIn({ people, profiles, directory }: KeptSchema): string {
  if (people === undefined) return 'everybody';
  if (directory === undefined) return [...people, ...profiles].join(', ') || 'nobody';
  if (directory.of === 'everybody') return 'the list of people';
  if (directory.of === 'every group') return 'the lists of people and groups';
  const { gids, owners } = directory;
  return [...gids.map((gid) => `group ${gid}`), ...owners.map((uid) => `the groups of ${uid}`)].join(', ');
}
