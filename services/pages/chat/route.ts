import { computed, ref } from 'vue';

/** A chat as a person names it: the other person, or the group. */
export interface Chat {
  readonly type: 'friend' | 'group';
  readonly id: number;
}

/** Views without a chat. */
const plainViews = ['announcements', 'applications', 'add', 'new-group', 'me'] as const;

/** What the page shows beside the lists. */
export type Route =
  | { readonly view: 'none' | (typeof plainViews)[number] }
  | { readonly view: 'chat' | 'about'; readonly chat: Chat }
  | { readonly view: 'join'; readonly gid: number; readonly token: string };

const hash = ref(location.hash);
/** The hashes from the first one to the present one, without those from which the person went back. */
const visited = [location.hash];

addEventListener('hashchange', () => {
  hash.value = location.hash;
  if (visited.at(-2) === location.hash) visited.pop();
  else if (visited.at(-1) !== location.hash) visited.push(location.hash);
});

const idOf = (text: string | undefined): number | undefined =>
  /^[1-9]\d{0,15}$/.test(text ?? '') ? Number(text) : undefined;

/** The route is the part of the address after `#`, so that the browser's back button leads from a chat to the list. */
export const route = computed<Route>(() => {
  const [, first = '', second, third = ''] = hash.value.split('/');
  const id = idOf(second);
  if ((first === 'friend' || first === 'group') && id !== undefined)
    return { view: third === 'about' ? 'about' : 'chat', chat: { type: first, id } };
  if (first === 'join' && id !== undefined) return { view: 'join', gid: id, token: third };
  return { view: plainViews.find((view) => view === first) ?? 'none' };
});

export const addressOf = ({ type, id }: Chat): string => `#/${type}/${id}`;
export const addressOfAbout = (chat: Chat): string => `${addressOf(chat)}/about`;
export const addressOfAnnouncements = '#/announcements';
/** Where a group's QR code leads. */
export const addressOfJoining = (gid: number, token: string): string => `#/join/${gid}/${token}`;

/** Goes to a view; the browser's back button returns. */
export function go(address: string): void {
  location.hash = address;
}

/** Returns to the view before. @param otherwise where to go if the page began with the present one */
export function goBack(otherwise: string): void {
  if (visited.length > 1) history.back();
  else goInstead(otherwise);
}

/** Goes to a view in place of the present one: the browser's back button does not return to it. */
export function goInstead(address: string): void {
  visited[visited.length - 1] = address;
  location.replace(address);
}

/** One text for a chat, as a key. */
export const keyOf = ({ type, id }: Chat): string => `${type}${id}`;
