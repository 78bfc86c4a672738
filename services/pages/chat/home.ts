import { computed, reactive } from 'vue';
import type { Data } from '../shared/calls.ts';
import { type Chat, keyOf } from './route.ts';
import { api } from './session.ts';

type Home = Data<'/pop/get'>;
export type Contact = Home['friend'][string][string];
export type Group = Home['group'][number];
export type Settings = Omit<Home['setting'], 'id'>;

/** A chat of the list. */
export interface ListedChat extends Chat {
  name: string;
  avatar: string;
  unread: number;
  top: boolean;
  last: { mid: number; from: number; name: string; content: string; timestamp: number } | undefined;
  /** The newest message that the server's own count includes: pushes up to it are not counted again. */
  readonly countedMid: number;
}

interface State {
  loaded: boolean;
  mine: Home['mine'] | undefined;
  contacts: Map<number, Contact>;
  /** Contacts by initial, as the server orders them. */
  initials: { initial: string; uids: number[] }[];
  groups: Map<number, Group>;
  chats: Map<string, ListedChat>;
  settings: Settings | undefined;
}

/** What the person who is signed in has: themselves, contacts, groups, chats, and the system's settings. */
export const home = reactive<State>({
  loaded: false,
  mine: undefined,
  contacts: new Map(),
  initials: [],
  groups: new Map(),
  chats: new Map(),
  settings: undefined,
});

export const chatsInOrder = computed(() =>
  [...home.chats.values()].sort(
    (one, other) =>
      Number(other.top) - Number(one.top) || (other.last?.timestamp ?? 0) - (one.last?.timestamp ?? 0),
  ),
);

export const unreadInAll = computed(() => {
  let sum = 0;
  for (const { unread } of home.chats.values()) sum += unread;
  return sum;
});

export async function loadHome(): Promise<void> {
  const { mine, friend, group, chatting, setting } = await api.call('/pop/get', {});
  const people = Object.values(friend).flatMap((ofInitial) => Object.values(ofInitial));
  home.mine = mine;
  home.contacts = new Map(people.map((contact) => [contact.uid, contact]));
  home.initials = Object.entries(friend).map(([initial, ofInitial]) => ({
    initial,
    uids: Object.values(ofInitial).map(({ uid }) => uid),
  }));
  home.groups = new Map(group.map((one) => [one.gid, one]));
  home.chats = new Map(Object.values(chatting).map((entry) => [keyOf(entry), listed(entry)]));
  home.settings = setting;
  home.loaded = true;
}

function listed(entry: Home['chatting'][string]): ListedChat {
  const last = entry.items.at(-1);
  return {
    ...{ type: entry.type, id: entry.id, name: entry.name, avatar: entry.avatar },
    unread: entry.unread_count,
    top: entry.top === 1,
    last: last && {
      ...{ mid: last.mid, from: Number(last.from), name: last.name ?? '' },
      ...{ content: last.content, timestamp: last.timestamp },
    },
    countedMid: last?.mid ?? 0,
  };
}

let reloading: ReturnType<typeof setTimeout> | undefined;

/** Pushes that change the lists come in groups (agreeing gives two): the page loads once, this much later. */
const reloadAfterMs = 150;

/** Loads the lists again soon. If the server cannot be reached then, the next connection loads them. */
export function reloadSoon(): void {
  clearTimeout(reloading);
  reloading = setTimeout(() => loadHome().catch(() => undefined), reloadAfterMs);
}

/** The name and picture of a chat, also of one that is not in the list. */
export function faceOf(chat: Chat): { name: string; avatar: string } {
  const entry = home.chats.get(keyOf(chat));
  if (entry) return entry;
  if (chat.type === 'group') return home.groups.get(chat.id) ?? { name: String(chat.id), avatar: '' };
  return home.contacts.get(chat.id) ?? { name: String(chat.id), avatar: '' };
}
