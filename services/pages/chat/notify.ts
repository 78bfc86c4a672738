import { ref, watchEffect } from 'vue';
import type { PushData } from '../../../contracts/push/index.ts';
import { plainText } from './content.ts';
import { unreadInAll } from './home.ts';
import { addressOf, type Chat, go, keyOf } from './route.ts';
import { t } from './texts.ts';

/** What a screen reader says: the newest message that came. */
export const announcement = ref('');

/** Whether the browser may show notifications: `default` if the person was not asked. */
export const permission = ref(typeof Notification === 'undefined' ? 'denied' : Notification.permission);

export async function askPermission(): Promise<void> {
  permission.value = await Notification.requestPermission();
}

/** Announces a message that came: to screen readers, and by a notification if the page is hidden. */
export function announce(chat: Chat, title: string, { from_name, content }: PushData<'message'>): void {
  const text = `${from_name}: ${plainText(content)}`;
  announcement.value = text;
  if (!document.hidden || permission.value !== 'granted') return;
  const notification = new Notification(title, { body: text, tag: keyOf(chat) });
  notification.onclick = () => {
    window.focus();
    go(addressOf(chat));
    notification.close();
  };
}

/** Shows the number of unread messages in the title of the page. */
export function countInTitle(): void {
  watchEffect(() => {
    const count = unreadInAll.value;
    document.title = `${count > 0 ? `(${count}) ` : ''}${t('title')} · bubble-im`;
  });
}
