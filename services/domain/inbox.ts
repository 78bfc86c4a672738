import type { Uid } from '../../contracts/ids.ts';
import type { StreamName } from '../log/log.ts';
import { streamName } from './aggregate.ts';

/** The stream `inbox-{uid}`: a person's list of chats. */
export function inboxStream(uid: Uid): StreamName {
  return streamName(`inbox-${uid}`);
}
