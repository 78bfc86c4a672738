import type { GroupEvent, Notice } from '../contracts/events/group.ts';
import type { Gid, Uid } from '../contracts/ids.ts';
import type { Decoded } from '../services/log/codec.ts';
import { type Arrival, groupMessageReads, plain, sendToGroup } from './messages.ts';
import { type Pushes, timestampOf } from './projection.ts';
import type { Rows } from './store/row-store.ts';

/** An event of a group that carries the notice which it adds to the conversation. */
export type WithNotice = Decoded<Extract<GroupEvent, { data: { notice: Notice } }>>;

/** What `addNotice` reads. */
export function noticeReads(by: Uid, gid: Gid) {
  return groupMessageReads(by, gid);
}

/** A notice as a line of the conversation. */
export const noticeOf = (event: Decoded, { mid, content }: Notice): Arrival => ({
  place: event.position,
  mid,
  event_id: event.id,
  content,
  timestamp: timestampOf(event),
  sub_type: 'notice',
  ...plain,
});

/**
 * Adds an event's notice to the group's conversation, from the one who acted.
 * @param newcomers also get it on their own channels, as they do not listen to the group's yet
 */
export function addNotice(
  rows: Rows,
  pushes: Pushes,
  event: WithNotice,
  by: Uid,
  newcomers: readonly Uid[] = [],
): void {
  const { gid, notice } = event.data;
  sendToGroup(rows, pushes, by, gid, noticeOf(event, notice), newcomers);
}
