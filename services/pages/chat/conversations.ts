import { reactive } from 'vue';
import type { Data } from '../shared/calls.ts';
import { home } from './home.ts';
import { type Chat, keyOf } from './route.ts';
import { api, session } from './session.ts';

/** A message as the page shows it. */
export interface ShownMessage {
  /** For the page alone: it stays the same when a message that is being sent gets its mid. */
  readonly key: string;
  mid: number | undefined;
  from: number;
  name: string;
  avatar: string;
  content: string;
  timestamp: number;
  notice: boolean;
  quoteMid: number;
  quoteContent: string;
  /** Of a message sent from this page. */
  uniqueId?: string;
  state: 'sending' | 'failed' | 'sent';
  /** Why sending failed. */
  reason?: string;
  /** Whether its place among the others is the server's. */
  placed: boolean;
}

/** The part of a chat's history that the page has, oldest first. Messages that are being sent come last. */
export interface Conversation {
  messages: ShownMessage[];
  /** Whether the history has no older message. */
  complete: boolean;
  /** Whether older messages are on their way. */
  loading: boolean;
  loaded: boolean;
  /** Changes when the history was replaced. */
  version: number;
  /** Changes when a request for the newest page begins: what was asked for before it is out of date. */
  request: number;
}

/** Messages of a page of history. */
const pageSize = 30;

/** The conversations that were opened. */
export const conversations = reactive(new Map<string, Conversation>());

export function conversationOf(chat: Chat): Conversation {
  const key = keyOf(chat);
  const known = conversations.get(key);
  if (known) return known;
  conversations.set(key, {
    ...{ messages: [], complete: false, loading: false, loaded: false, version: 0, request: 0 },
  });
  return conversationOf(chat);
}

function shown(message: Data<'/message/get'>[number]): ShownMessage {
  return {
    ...{ key: `m${message.mid}`, mid: message.mid, from: Number(message.from) },
    ...{ name: message.name ?? '', avatar: message.avatar, content: message.content },
    ...{ timestamp: message.timestamp, notice: message.sub_type === 'notice' },
    ...{ quoteMid: message.quote_mid, quoteContent: message.quote_content },
    ...{ state: 'sent', placed: true },
  };
}

/** Loads the newest page, which marks the chat read, and keeps what was pushed or sent meanwhile. */
export async function loadNewest(chat: Chat): Promise<void> {
  const conversation = conversationOf(chat);
  const request = ++conversation.request;
  const before = new Set(conversation.messages);
  const page = await api.call('/message/get', { ...chat, limit: pageSize });
  if (request !== conversation.request) return;
  const mids = new Set(page.map(({ mid }) => mid));
  const later = conversation.messages.filter(
    (message) => (!message.placed || !before.has(message)) && !mids.has(message.mid ?? 0),
  );
  conversation.messages = [...page.map(shown), ...later];
  conversation.complete = page.length < pageSize;
  conversation.loaded = true;
  conversation.version++;
  const entry = home.chats.get(keyOf(chat));
  if (entry) Object.assign(entry, { unread: 0, mentioned: false });
}

/** Loads the page before the oldest message. */
export async function loadOlder(chat: Chat): Promise<void> {
  const conversation = conversationOf(chat);
  const oldest = conversation.messages.find(({ placed }) => placed)?.mid;
  if (conversation.loading || conversation.complete || oldest === undefined) return;
  conversation.loading = true;
  const { request } = conversation;
  try {
    const page = await api.call('/message/get', { ...chat, limit: pageSize, mid: oldest });
    if (request !== conversation.request) return;
    const known = new Set(conversation.messages.map(({ mid }) => mid));
    conversation.messages.unshift(...page.filter(({ mid }) => !known.has(mid)).map(shown));
    conversation.complete = page.length < pageSize;
  } finally {
    conversation.loading = false;
  }
}

/**
 * Puts in a message that the server pushed: once, behind those it pushed before, in front of those that are being sent.
 * @returns whether it was not there before
 */
export function place(conversation: Conversation, message: ShownMessage): boolean {
  const { messages } = conversation;
  const own = message.from === session.value?.uid && message.uniqueId !== undefined;
  const index = messages.findIndex(
    ({ mid, uniqueId }) => mid === message.mid || (own && uniqueId === message.uniqueId),
  );
  const known = messages[index];
  if (known?.placed) return false;
  if (!known && isBefore(conversation, message)) return false;
  if (known) messages.splice(index, 1);
  const end = messages.findIndex(({ placed }) => !placed);
  const put = known ? Object.assign(known, { ...message, key: known.key, reason: undefined }) : message;
  messages.splice(end === -1 ? messages.length : end, 0, put);
  return known === undefined;
}

/** Whether a message is older than the part of the history that the page has: it is loaded with the pages before. */
function isBefore({ complete, loaded, messages }: Conversation, message: ShownMessage): boolean {
  const oldest = messages.find(({ placed }) => placed);
  if (complete || !loaded || oldest?.mid === undefined || message.mid === undefined) return false;
  return message.mid < oldest.mid && message.timestamp <= oldest.timestamp;
}

/** Changes a message, and what quotes of it show. */
export function amend(chat: Chat, mid: number, changes: Partial<ShownMessage>, quoted: string): void {
  for (const message of conversations.get(keyOf(chat))?.messages ?? []) {
    if (message.mid === mid) Object.assign(message, changes);
    if (message.quoteMid === mid) message.quoteContent = quoted;
  }
}

export function remove(chat: Chat, mid: number): void {
  const conversation = conversations.get(keyOf(chat));
  if (!conversation) return;
  conversation.messages = conversation.messages.filter((message) => message.mid !== mid);
  for (const message of conversation.messages) if (message.quoteMid === mid) message.quoteContent = '';
}
