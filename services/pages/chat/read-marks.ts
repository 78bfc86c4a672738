import { reactive } from 'vue';
import { keep, readKept } from './kept.ts';
import type { Chat } from './route.ts';

/**
 * The mids up to which other people have read their chat with the one who is signed in. The API pushes them and has no
 * call that lists them, so the browser keeps those it got.
 */
const marks = reactive(new Map<number, number>());

export function loadReadMarks(): void {
  for (const [uid, mid] of readKept<[number, number][]>('read marks', [])) marks.set(uid, mid);
}

export function noteRead({ type, id, mid }: Chat & { readonly mid: number }): void {
  if (type === 'group' || mid <= (marks.get(id) ?? 0)) return;
  marks.set(id, mid);
  keep('read marks', [...marks]);
}

/** Whether the other person of a chat has read one's message. */
export function wasRead(chat: Chat, mid: number | undefined): boolean {
  return chat.type === 'friend' && mid !== undefined && mid <= (marks.get(chat.id) ?? 0);
}
