import { Gid, Uid } from '../../contracts/ids.ts';
import type { StreamName } from '../log/log.ts';
import type { AggregateStream } from './aggregate.ts';
import { allowanceStream } from './allowance.ts';
import { announcementStream } from './announcement.ts';
import { friendshipStream } from './friendship.ts';
import { groupStream } from './group.ts';
import { replyStream } from './reply.ts';
import { settingStream } from './setting.ts';
import { userStream } from './user.ts';

/** The aggregate of a stream, by its name; undefined for a stream that is not folded to decide. */
export function streamOfName(name: StreamName): AggregateStream<unknown> | undefined {
  const [, category = '', ...digits] = /^([a-z]+)(?:-(\d{1,16}))?(?:-(\d{1,16}))?$/.exec(name) ?? [];
  const [one, other] = digits.map((text) => Uid.safeParse(Number(text)).data);
  const stream = streamOf(category, one, other);
  // Only if it is the name that the domain gives to that stream.
  return stream?.name === name ? (stream as AggregateStream<unknown>) : undefined;
}

function streamOf(category: string, one: Uid | undefined, other: Uid | undefined) {
  if (category === 'setting') return settingStream;
  if (category === 'announcement') return announcementStream;
  if (one === undefined) return undefined;
  switch (category) {
    case 'user':
      return userStream(one);
    case 'group':
      return groupStream(Gid.parse(one));
    case 'reply':
      return replyStream(one);
    case 'allowance':
      return allowanceStream(one);
    case 'friendship':
      return other === undefined ? undefined : friendshipStream(one, other);
    default:
      return undefined;
  }
}
