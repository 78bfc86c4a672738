import type { AnnouncementId, Uid } from '../../contracts/ids.ts';
import {
  type Announcement,
  announcedAs,
  announcementStream,
  announce as decide,
  mustBeAnnounced,
  revokeAnnouncement as revoke,
} from '../domain/announcement.ts';
import { inboxStream } from '../domain/inbox.ts';
import { mustExist, userStream } from '../domain/user.ts';
import { type Position, startOfLog } from '../log/log.ts';
import { findSeen } from '../queries/announcements.ts';
import { type CommandContext, seconds } from './context.ts';
import { appendAny, execute } from './execute.ts';
import type { CommandParts } from './parts.ts';

type Parts = Pick<CommandParts, 'log' | 'store'>;

/** Announces something to everyone. A repeat with the same uniqueId gives the same id. @throws Refusal illegal, tooOften */
export async function announce(
  parts: Parts,
  announcement: Announcement,
  context: CommandContext,
): Promise<{ readonly id: AnnouncementId; readonly position: Position }> {
  const now = seconds(context);
  let repeated: AnnouncementId | undefined;
  const { events, position } = await execute(parts, announcementStream, context, (state) => {
    repeated = announcedAs(state, announcement);
    return decide(state, { ...announcement, now });
  });
  const [sent] = events;
  const id = sent?.data.id ?? repeated;
  if (id === undefined) throw new TypeError('an announcement that is not new has an id');
  return { id, position };
}

/** Revokes an announcement for everyone. @throws Refusal noRecord */
export async function revokeAnnouncement(
  parts: Parts,
  id: AnnouncementId,
  context: CommandContext,
): Promise<Position> {
  return (await execute(parts, announcementStream, context, (state) => revoke(state, { id }))).position;
}

/** Records that a person has seen the announcements up to one. Seen already: nothing. @throws Refusal noUser, noRecord */
export async function seeAnnouncements(
  { log, store, database }: Parts & Pick<CommandParts, 'database'>,
  { uid, id }: { readonly uid: Uid; readonly id: AnnouncementId },
  context: CommandContext,
): Promise<Position> {
  mustExist((await store.load(userStream(uid))).state);
  mustBeAnnounced((await store.load(announcementStream)).state, id);
  if ((await findSeen(database, uid)) >= id) return startOfLog;
  return appendAny(log, inboxStream(uid), [{ type: 'AnnouncementsSeen', data: { uid, id } }], context);
}
