import { ref, watchEffect } from 'vue';
import type { PushData } from '../../../contracts/push/index.ts';
import { plainText } from './content.ts';
import { home } from './home.ts';
import { openChat } from './reading.ts';
import { addressOf, addressOfAnnouncements, type Chat, go, keyOf, route } from './route.ts';
import { t } from './texts.ts';
import { playTone } from './tone.ts';
import { unreadInAll } from './unread.ts';

/** What a screen reader says: the newest message or announcement that came. */
export const spoken = ref('');

/** Whether the browser may show notifications: `default` if the person was not asked. */
export const permission = ref(typeof Notification === 'undefined' ? 'denied' : Notification.permission);

export async function askPermission(): Promise<void> {
  permission.value = await Notification.requestPermission();
}

export function notifyOfMessage(
  chat: Chat,
  title: string,
  { from_name, content }: PushData<'message'>,
): void {
  const text = chat.type === 'group' ? `${from_name}: ${plainText(content)}` : plainText(content);
  const shown = openChat.value !== undefined && keyOf(openChat.value) === keyOf(chat);
  notify({ title, text, shown, tag: keyOf(chat), address: addressOf(chat) });
}

export function notifyOfAnnouncement({ content }: PushData<'announcement'>): void {
  const shown = route.value.view === 'announcements';
  const title = t('newAnnouncement');
  notify({ title, text: plainText(content), shown, tag: 'announcements', address: addressOfAnnouncements });
}

interface News {
  readonly title: string;
  readonly text: string;
  /** Whether the page shows it, if it is not hidden. */
  readonly shown: boolean;
  /** News of one tag replace each other. */
  readonly tag: string;
  /** Where it leads. */
  readonly address: string;
}

/** Announces what came: to screen readers, by a tone, and by a notification if the page is hidden. */
function notify({ title, text, shown, tag, address }: News): void {
  spoken.value = `${title}: ${text}`;
  if (document.hidden || !shown) playTone();
  if (!document.hidden || permission.value !== 'granted') return;
  try {
    const notification = new Notification(title, { body: text, tag });
    notification.onclick = () => {
      window.focus();
      go(address);
      notification.close();
    };
  } catch {
    // Chrome on Android shows notifications of service workers alone, and throws a TypeError.
    permission.value = 'denied';
  }
}

/** Shows in the title of the page how much is unread. */
export function countInTitle(): void {
  watchEffect(() => {
    const count = unreadInAll.value;
    document.title = `${count > 0 ? `(${count}) ` : ''}${t('title')} · ${home.settings?.app_name ?? 'bubble-im'}`;
  });
}
