import { computed } from 'vue';
import { announcements } from './announcements.ts';
import { home } from './home.ts';

/** How many messages and announcements the person has not seen. */
export const unreadInAll = computed(() => {
  let sum = announcements.unread;
  for (const { unread } of home.chats.values()) sum += unread;
  return sum;
});
