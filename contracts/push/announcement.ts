import { z } from 'zod';

const id = z.int().positive();

/** Those who run the system announce something to everyone. */
export const AnnouncementPush = z.object({ id, content: z.string(), timestamp: z.int() });

/** An announcement was revoked. */
export const AnnouncementRevokePush = z.object({ id });

/** Under which number a stored push of an announcement is found, to take it back; those of messages are mids. */
export function announcementKey(id: number): number {
  return -id;
}
