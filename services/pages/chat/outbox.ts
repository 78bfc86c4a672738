import { CallRefused } from '../shared/calls.ts';
import { conversationOf, type ShownMessage } from './conversations.ts';
import { home } from './home.ts';
import { type Chat, keyOf } from './route.ts';
import { api, session } from './session.ts';

/** A message that waits for the server, as it is kept over a reload of the page. */
interface Waiting {
  readonly chat: Chat;
  readonly uniqueId: string;
  readonly content: string;
  readonly quoteMid: number;
  readonly quoteContent: string;
  readonly timestamp: number;
}

const storageKey = 'bubble-im outbox';
const waiting = new Map<string, Waiting>();
/** The last attempt of each chat: messages of a chat go one after the other, in the order in which they were written. */
const attempts = new Map<string, Promise<void>>();

function save(): void {
  sessionStorage.setItem(storageKey, JSON.stringify([...waiting.values()]));
}

/** 128 random bits. `crypto.randomUUID` exists on pages by https alone. */
export function newUniqueId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `w${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** Shows a message at once, and sends it. */
export function send(chat: Chat, content: string, quote?: { mid: number; content: string }): void {
  const message: Waiting = {
    ...{ chat, content, uniqueId: newUniqueId(), timestamp: Math.floor(Date.now() / 1000) },
    ...{ quoteMid: quote?.mid ?? 0, quoteContent: quote?.content ?? '' },
  };
  waiting.set(message.uniqueId, message);
  save();
  show(message);
  attempt(message);
}

function show({ chat, uniqueId, content, quoteMid, quoteContent, timestamp }: Waiting): void {
  conversationOf(chat).messages.push({
    ...{ key: uniqueId, uniqueId, content, quoteMid, quoteContent, timestamp },
    ...{ mid: undefined, from: session.value?.uid ?? 0, notice: false, state: 'sending', placed: false },
    ...{ name: home.mine?.nickname ?? '', avatar: home.mine?.avatar ?? '' },
  });
}

const shownOf = ({ chat, uniqueId }: Waiting): ShownMessage | undefined =>
  conversationOf(chat).messages.find((message) => message.uniqueId === uniqueId);

function attempt(message: Waiting): void {
  const key = keyOf(message.chat);
  const before = attempts.get(key) ?? Promise.resolve();
  attempts.set(
    key,
    before.then(() => deliver(message)),
  );
}

async function deliver(message: Waiting): Promise<void> {
  if (!waiting.has(message.uniqueId)) return;
  const shown = shownOf(message);
  if (shown) Object.assign(shown, { state: 'sending', reason: undefined });
  const { chat, content, uniqueId, quoteMid } = message;
  try {
    const { mid } = await api.call('/message/send', {
      ...{ to: chat.id, type: chat.type, content, uniqueId },
      ...(quoteMid === 0 ? {} : { quote_mid: quoteMid }),
    });
    arrived(uniqueId);
    const sent = shownOf(message);
    if (sent && sent.mid === undefined) Object.assign(sent, { mid, state: 'sent' });
  } catch (error) {
    const failed = shownOf(message);
    if (!failed || failed.mid !== undefined) return;
    failed.state = 'failed';
    if (error instanceof CallRefused) failed.reason = error.message;
  }
}

/** The server has the message: its answer came, or its push. */
export function arrived(uniqueId: string): void {
  if (waiting.delete(uniqueId)) save();
}

/** Sends a message again: with the same uniqueId, so that it is there once even if the first attempt arrived. */
export function retry(uniqueId: string): void {
  const message = waiting.get(uniqueId);
  if (message) attempt(message);
}

/** Sends again what the network kept from the server; what the server refused waits for the person. */
export function retryAll(): void {
  for (const message of waiting.values()) {
    const shown = shownOf(message);
    if (shown?.state === 'failed' && shown.reason === undefined) attempt(message);
  }
}

/** Gives up a message that was not sent. */
export function discard(uniqueId: string): void {
  const message = waiting.get(uniqueId);
  if (!message) return;
  arrived(uniqueId);
  const conversation = conversationOf(message.chat);
  conversation.messages = conversation.messages.filter((shown) => shown.uniqueId !== uniqueId);
}

/** Goes on with the messages that the page had not sent when it was reloaded. */
export function restoreOutbox(): void {
  const kept: Waiting[] = JSON.parse(sessionStorage.getItem(storageKey) ?? '[]');
  for (const message of kept) {
    waiting.set(message.uniqueId, message);
    show(message);
    attempt(message);
  }
}
