import { reactive } from 'vue';
import { type Chat, keyOf } from './route.ts';
import { session } from './session.ts';

const storageKey = () => `bubble-im drafts ${session.value?.uid}`;

/** What the person wrote and did not send, by the keys of the chats; kept by the browser. */
export const drafts = reactive(new Map<string, string>());

export function loadDrafts(): void {
  const kept: [string, string][] = JSON.parse(localStorage.getItem(storageKey()) ?? '[]');
  for (const [key, text] of kept) drafts.set(key, text);
}

export function saveDraft(chat: Chat, text: string): void {
  if (text.trim() === '') drafts.delete(keyOf(chat));
  else drafts.set(keyOf(chat), text);
  localStorage.setItem(storageKey(), JSON.stringify([...drafts]));
}
