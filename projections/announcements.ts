import type { AnnouncementEvent } from '../contracts/events/announcement.ts';
import type { AnnouncementId } from '../contracts/ids.ts';
import { announcementKey } from '../contracts/push/announcement.ts';
import { announcementChannel } from '../contracts/push/index.ts';
import { type ProjectionsOf, timestampOf } from './projection.ts';
import { announcements } from './tables.ts';

type OfAnnouncement = { readonly data: { readonly id: AnnouncementId } };

const reads = ({ data }: OfAnnouncement) => [announcements.at(data.id)];

/** Announcements: one row and one push each, however many people there are. */
export const announcementProjections: ProjectionsOf<AnnouncementEvent> = {
  AnnouncementSent: {
    reads,
    apply(event, rows, pushes) {
      const { id, content } = event.data;
      if (rows.get(announcements.at(id))) return;
      const timestamp = timestampOf(event);
      rows.put(announcements, { id, content, timestamp, revoked: false });
      pushes.add(announcementChannel, 'announcement', { id, content, timestamp });
    },
  },
  AnnouncementRevoked: {
    reads,
    apply({ data: { id } }, rows, pushes) {
      const announcement = rows.get(announcements.at(id));
      if (!announcement || announcement.revoked) return;
      rows.put(announcements, { ...announcement, content: '', revoked: true });
      pushes.takeBack(announcementKey(id), 'deleted');
      pushes.add(announcementChannel, 'announcement_revoke', { id });
    },
  },
};
