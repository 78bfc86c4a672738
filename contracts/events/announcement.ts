import { z } from 'zod';
import { AnnouncementId } from '../ids.ts';
import { type EventOf, event } from './event.ts';

/** Stream `announcement`: what those who run the system tell everyone. */
export const announcementEvents = [
  event(
    'AnnouncementSent',
    z.object({
      id: AnnouncementId,
      content: z.string(),
      /** The caller's own id of it, which makes sending safe to repeat. */
      uniqueId: z.string().optional(),
    }),
  ),
  event('AnnouncementRevoked', z.object({ id: AnnouncementId })),
] as const;

export type AnnouncementEvent = EventOf<(typeof announcementEvents)[number]>;
