import { CallRefused } from '../shared/envelope.ts';
import { newUniqueId } from '../shared/unique-id.ts';
import { conversationOf, type ShownMessage } from './conversations.ts';
import { home } from './home.ts';
import { dropKept, keep, readAllKept } from './kept.ts';
import { type Chat, keyOf } from './route.ts';
import { api, session } from './session.ts';
import { reasonOf } from './task.ts';

/** A message that waits for the server. The browser keeps it over a reload of the page and a new sign-in. */
interface Waiting {
  readonly chat: Chat;
  readonly uniqueId: string;
  readonly content: string;
  readonly quoteMid: number;
  readonly quoteContent: string;
  /** In ms since 1970. */
  readonly writtenAt: number;
}

const waiting = new Map<string, Waiting>();
/** The last attempt of each chat: messages of a chat go one after the other, in the order in which they were written. */
const attempts = new Map<string, Promise<void>>();

/** Each message is kept by itself, so that two tabs of one person do not overwrite each other's. */
const nameOf = (uniqueId: string) => `unsent ${uniqueId}`;

/** Shows a message at once, and sends it. */
export function send(chat: Chat, content: string, quote?: { mid: number; content: string }): void {
  const message: Waiting = {
    ...{ chat, content, uniqueId: newUniqueId(), writtenAt: Date.now() },
    ...{ quoteMid: quote?.mid ?? 0, quoteContent: quote?.content ?? '' },
  };
  keep(nameOf(message.uniqueId), message);
  begin(message);
}

function begin(message: Waiting): void {
  waiting.set(message.uniqueId, message);
  show(message);
  attempt(message);
}

function show({ chat, uniqueId, content, quoteMid, quoteContent, writtenAt }: Waiting): void {
  conversationOf(chat).messages.push({
    ...{ key: uniqueId, uniqueId, content, quoteMid, quoteContent, timestamp: Math.floor(writtenAt / 1000) },
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
    before.then(() => deliverThrough(message)),
  );
}

/** Sends a message after those of its chat that the network kept from the server. If one of them fails again, so does it. */
async function deliverThrough(last: Waiting): Promise<void> {
  for (const message of [...waiting.values()]) {
    if (!waiting.has(last.uniqueId)) return;
    if (keyOf(message.chat) !== keyOf(last.chat)) continue;
    const due = message === last || shownOf(message)?.reason === undefined;
    if (due && !(await deliver(message))) {
      fail(last);
      return;
    }
    if (message === last) return;
  }
}

/** @returns false if a later attempt may do what this one did not */
async function deliver(message: Waiting): Promise<boolean> {
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
    return true;
  } catch (error) {
    const final = isFinal(error);
    fail(message, final ? reasonOf(error) : undefined);
    return final;
  }
}

function fail(message: Waiting, reason?: string): void {
  const shown = shownOf(message);
  if (shown && shown.mid === undefined) Object.assign(shown, { state: 'failed', reason });
}

/** Codes that a later attempt may not get: too many requests, and a server that is not ready. */
const passing: ReadonlySet<number> = new Set([429, 503]);

/** Whether trying again by itself would fail again. */
function isFinal(error: unknown): boolean {
  return error instanceof CallRefused && !passing.has(error.code);
}

/** The server has the message: its answer came, or its push. */
export function arrived(uniqueId: string): void {
  if (waiting.delete(uniqueId)) dropKept(nameOf(uniqueId));
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

/** How many messages wait for the server. */
export function countUnsent(): number {
  return waiting.size;
}

/** Goes on with the messages that an earlier page of this person did not send. */
export function restoreOutbox(): void {
  const kept = readAllKept<Waiting>('unsent ').sort((one, other) => one.writtenAt - other.writtenAt);
  for (const message of kept) if (!waiting.has(message.uniqueId)) begin(message);
}
