import { computed, ref } from 'vue';

/** A chat as a person names it: the other person, or the group. */
export interface Chat {
  readonly type: 'friend' | 'group';
  readonly id: number;
}

/** What the page shows beside the lists. */
export type Route =
  | { readonly view: 'none' | 'applications' | 'add' | 'new-group' | 'me' }
  | { readonly view: 'chat' | 'about'; readonly chat: Chat };

const hash = ref(location.hash);
addEventListener('hashchange', () => {
  hash.value = location.hash;
});

/** The route is the part of the address after `#`, so that the browser's back button leads from a chat to the list. */
export const route = computed<Route>(() => {
  const [, first = '', second = '', third] = hash.value.split('/');
  if (first === 'friend' || first === 'group') {
    const chat = { type: first, id: Number(second) } as const;
    if (Number.isSafeInteger(chat.id) && chat.id > 0)
      return { view: third === 'about' ? 'about' : 'chat', chat };
  }
  if (first === 'applications' || first === 'add' || first === 'new-group' || first === 'me')
    return { view: first };
  return { view: 'none' };
});

export const addressOf = ({ type, id }: Chat): string => `#/${type}/${id}`;
export const addressOfAbout = (chat: Chat): string => `${addressOf(chat)}/about`;

/** Goes to a view; the browser's back button returns. */
export function go(address: string): void {
  location.hash = address;
}

/** One text for a chat, as a key. */
export const keyOf = ({ type, id }: Chat): string => `${type}${id}`;
