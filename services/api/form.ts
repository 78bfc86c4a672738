import { isUtf8 } from 'node:buffer';

/**
 * The most bytes that a request may have which brings no file: a message of 8 KB or 1,000 members take 80 KB in
 * a form. Reading more would cost others time.
 */
export const maxBodyBytes = 256 * 1024;

/** The most fields of a multipart form. */
export const maxFields = 5000;

/** The most names of a form that are read: the largest call has 40 parameters, and unknown ones are ignored. */
export const maxNames = 1000;

/** The most elements of a list that are read: no call takes more than 1,000, so that it refuses the list. */
export const maxElements = 2000;

/** What stands for a text that is no UTF-8: half a character, which no parameter takes. */
const unreadable = '\udfff';

/** What a form gives under one name. */
interface Values {
  /** With the index that each was given, where it was given one. */
  readonly elements: { readonly text: string; readonly index: number | undefined }[];
  /** Whether it is a list also where there is one element. */
  list: boolean;
  /** Whether it is an object, which no parameter takes. */
  object: boolean;
}

/**
 * Reads a form or a query in time linear in its length. Lists come as PHP and jQuery send them: `members[]=1`,
 * `members[0]=1`, or one name several times. Other brackets make an object. A broken escape stays as it
 * is, and a text that is no UTF-8 becomes one that no parameter takes.
 */
export function readForm(text: string): Record<string, unknown> {
  return formOf(pairsOf(text));
}

/** Reads a form as its body came, in which bytes may stand that should have been escaped. */
export function readFormBody(body: Buffer): Record<string, unknown> {
  return readForm(body.toString('latin1').replace(/[\x80-\xff]/g, escapeByte));
}

/** Gathers the names and texts of a form. */
export function formOf(pairs: Iterable<readonly [name: string, text: string]>): Record<string, unknown> {
  const form = new Map<string, Values>();
  for (const [name, text] of pairs) addPair(form, name, text);
  return Object.fromEntries(Array.from(form, ([name, values]) => [name, meant(values)]));
}

/** A text by its bytes; what is no UTF-8 becomes a text that no parameter takes. */
export function readText(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString() : unreadable;
}

function* pairsOf(text: string): Generator<[string, string]> {
  for (let at = 0; at < text.length; ) {
    const end = indexOf(text, '&', at);
    const pair = text.slice(at, end);
    const equals = indexOf(pair, '=', 0);
    if (pair !== '') yield [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))];
    at = end + 1;
  }
}

function addPair(form: Map<string, Values>, key: string, text: string): void {
  const bracket = key.indexOf('[');
  const name = bracket > 0 ? key.slice(0, bracket) : key;
  const [, index] = bracket > 0 ? (/^\[(\d{0,15})\]$/.exec(key.slice(bracket)) ?? []) : [];
  let values = form.get(name);
  if (values === undefined) {
    if (form.size >= maxNames) return;
    values = { elements: [], list: false, object: false };
    form.set(name, values);
  }
  if (values.elements.length >= maxElements) return;
  if (index !== undefined) values.list = true;
  else if (bracket > 0) values.object = true;
  values.elements.push({ text, index: index ? Number(index) : undefined });
}

function meant({ elements, list, object }: Values): unknown {
  if (object) return Object.fromEntries(elements.map(({ text }, index) => [index, text]));
  if (!list && elements.length === 1) return elements[0]?.text;
  const ordered = elements.every(({ index }) => index !== undefined)
    ? elements.toSorted((one, other) => (one.index ?? 0) - (other.index ?? 0))
    : elements;
  return ordered.map(({ text }) => text);
}

function decode(escaped: string): string {
  const text = escaped.includes('+') ? escaped.replaceAll('+', ' ') : escaped;
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return readText(bytesOf(text));
  }
}

/** The bytes that a text with escapes stands for; what is no escape stands for itself. */
function bytesOf(text: string): Buffer {
  const bytes = text
    .toWellFormed()
    .replace(/\P{ASCII}+/gu, encodeURIComponent)
    .replace(/%([\da-f]{2})/gi, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)));
  return Buffer.from(bytes, 'latin1');
}

function escapeByte(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16)}`;
}

function indexOf(text: string, part: string, from: number): number {
  const found = text.indexOf(part, from);
  return found === -1 ? text.length : found;
}
