import type { Mid, Uid } from '../contracts/ids.ts';
import type { Decoded } from '../services/log/codec.ts';
import { type Arrival, groupMessagePushReads, groupMessageReads, plain, sendToGroup } from './messages.ts';
import { namedReads, noticeText, type WithNotice } from './notice-texts.ts';
import { type Pushes, timestampOf } from './projection.ts';
import type { Rows } from './store/row-store.ts';

/** What `addNotice` reads, with the group itself, whose events add notices. */
export function noticeReads(event: WithNotice, by: Uid) {
  const { gid } = event.data;
  return [...groupMessageReads(by, gid), ...groupMessagePushReads(by, gid), ...namedReads(event)];
}

/** A notice as a line of the conversation. */
export const noticeOf = (event: Decoded, mid: Mid, content: string): Arrival => ({
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
  const { gid, noticeMid } = event.data;
  sendToGroup(rows, pushes, by, gid, noticeOf(event, noticeMid, noticeText(event, rows)), newcomers);
}
