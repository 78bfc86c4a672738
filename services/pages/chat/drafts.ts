import { reactive } from 'vue';
import { keep, readKept } from './kept.ts';
import { type Chat, keyOf } from './route.ts';

/** What the person wrote and did not send, by the keys of the chats; kept by the browser. */
export const drafts = reactive(new Map<string, string>());

export function loadDrafts(): void {
  for (const [key, text] of readKept<[string, string][]>('drafts', [])) drafts.set(key, text);
}

export function saveDraft(chat: Chat, text: string): void {
  if (text.trim() === '') drafts.delete(keyOf(chat));
  else drafts.set(keyOf(chat), text);
  keep('drafts', [...drafts]);
}
