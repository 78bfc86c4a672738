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
  /** Whether a message that is unread mentions the person; known of messages that came while the page was open. */
  mentioned: boolean;
  last:
    | { mid: number; from: number; name: string; content: string; timestamp: number; notice: boolean }
    | undefined;
  /** The newest message that the server's own count includes: pushes up to it are not counted again. */
  readonly countedMid: number;
}

interface State {
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

/** Changes that came while the lists were on their way: the answer may be older, so they are made again after it. */
let meanwhile: (() => void)[] | undefined;
let loads = Promise.resolve();

/** Makes a change to the lists. It is made twice if they are being loaded, which must give the same. */
export function changeHome(change: () => void): void {
  change();
  meanwhile?.push(change);
}

/**
 * Loads the lists, one load after the other, so that an older answer never replaces a newer one.
 * @throws CallRefused; TypeError if the server cannot be reached
 */
export function loadHome(): Promise<void> {
  const load = loads.then(loadOnce);
  loads = load.catch(() => undefined);
  return load;
}

async function loadOnce(): Promise<void> {
  const later: (() => void)[] = [];
  meanwhile = later;
  try {
    show(await api.call('/pop/get', {}));
  } finally {
    meanwhile = undefined;
  }
  for (const change of later) change();
}

function show({ mine, friend, group, chatting, setting }: Home): void {
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
}

function listed(entry: Home['chatting'][string]): ListedChat {
  const last = entry.items.at(-1);
  return {
    ...{ type: entry.type, id: entry.id, name: entry.name, avatar: entry.avatar },
    unread: entry.unread_count,
    top: entry.top === 1,
    mentioned: entry.unread_count > 0 && home.chats.get(keyOf(entry))?.mentioned === true,
    last: last && {
      ...{ mid: last.mid, from: Number(last.from), name: last.name ?? '' },
      ...{ content: last.content, timestamp: last.timestamp, notice: last.sub_type === 'notice' },
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

/** People whom the person has neither as a contact nor in the list of chats, and whose chat was opened. */
const strangers = reactive(new Map<number, { name: string; avatar: string }>());

/** The name and picture of a chat, also of one that is not in the list. */
export function faceOf(chat: Chat): { name: string; avatar: string } {
  const entry = home.chats.get(keyOf(chat));
  if (entry) return entry;
  const unknown = { name: String(chat.id), avatar: '' };
  if (chat.type === 'group') return home.groups.get(chat.id) ?? unknown;
  return home.contacts.get(chat.id) ?? strangers.get(chat.id) ?? unknown;
}

/** Gets the name and picture of a person who is no contact. @throws CallRefused; TypeError */
export async function meet({ type, id }: Chat): Promise<void> {
  if (type === 'group' || home.contacts.has(id) || strangers.has(id)) return;
  const { nickname, avatar } = await api.call('/user/get', { uid: id });
  strangers.set(id, { name: nickname, avatar });
}

/** Whether the page leads from a group to the details of a person: the setting may keep that to contacts. */
export function showsDetailsOf(uid: number): boolean {
  return home.settings?.member_detail !== 'off' || home.contacts.has(uid) || home.mine?.uid === uid;
}
