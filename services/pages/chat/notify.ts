import { ref, watchEffect } from 'vue';
import type { PushData } from '../../../contracts/push/index.ts';
import { plainText } from './content.ts';
import { home, unreadInAll } from './home.ts';
import { openChat } from './reading.ts';
import { addressOf, type Chat, go, keyOf } from './route.ts';
import { t } from './texts.ts';
import { playTone } from './tone.ts';

/** What a screen reader says: the newest message that came. */
export const announcement = ref('');

/** Whether the browser may show notifications: `default` if the person was not asked. */
export const permission = ref(typeof Notification === 'undefined' ? 'denied' : Notification.permission);

export async function askPermission(): Promise<void> {
  permission.value = await Notification.requestPermission();
}

/** Announces a message that came: to screen readers, by a tone, and by a notification if the page is hidden. */
export function announce(chat: Chat, title: string, { from_name, content }: PushData<'message'>): void {
  const text = chat.type === 'group' ? `${from_name}: ${plainText(content)}` : plainText(content);
  announcement.value = `${title}: ${text}`;
  const seen = !document.hidden && openChat.value !== undefined && keyOf(openChat.value) === keyOf(chat);
  if (!seen) playTone();
  if (!document.hidden || permission.value !== 'granted') return;
  try {
    const notification = new Notification(title, { body: text, tag: keyOf(chat) });
    notification.onclick = () => {
      window.focus();
      go(addressOf(chat));
      notification.close();
    };
  } catch {
    // Chrome on Android shows notifications of service workers alone, and throws a TypeError.
    permission.value = 'denied';
  }
}

/** Shows the number of unread messages in the title of the page. */
export function countInTitle(): void {
  watchEffect(() => {
    const count = unreadInAll.value;
    document.title = `${count > 0 ? `(${count}) ` : ''}${t('title')} · ${home.settings?.app_name ?? 'bubble-im'}`;
  });
}
