import { ref } from 'vue';
import { home } from './home.ts';
import { type Chat, keyOf } from './route.ts';
import { api } from './session.ts';

/** The chat whose messages the page shows. */
export const openChat = ref<Chat | undefined>();

/** Marks the open chat read, if a person can see it. */
export function markRead(chat: Chat): void {
  const entry = home.chats.get(keyOf(chat));
  if (!entry || entry.unread === 0 || document.hidden) return;
  Object.assign(entry, { unread: 0, mentioned: false });
  const { type, id } = chat;
  api.call('/message/updateLastReadTime', { type, id }).catch(() => undefined);
}

document.addEventListener('visibilitychange', () => {
  if (openChat.value) markRead(openChat.value);
});
