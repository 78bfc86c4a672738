import { isUtf8 } from 'node:buffer';
import type { Contract } from '../../contracts/http/contract.ts';

/**
 * Bytes of a request without a file: a message of 8 KB, or 1,000 members, take 80 KB in a form. Reading more would
 * take time from others.
 */
export const maxBodyBytes = 256 * 1024;

/** The same for calls that anyone may make: registering takes up to 10 KB in a form. */
const maxOpenBodyBytes = 16 * 1024;

/** The bytes of a request without a file that a call accepts. */
export function maxBytesOf({ access, maxBytes }: Pick<Contract, 'access' | 'maxBytes'>): number {
  return maxBytes ?? (access === 'open' ? maxOpenBodyBytes : maxBodyBytes);
}

/** Parts of a multipart form: 1,000 members and everything else that a call takes. */
export const maxParts = 1_100;

/** Names of a form that are read: the largest call has 40 parameters, and unknown ones are ignored. */
export const maxNames = 1000;

/** Elements of a list that are read: every call refuses lists of more than 1,000. */
export const maxElements = 2000;

/** Pairs of a form that are read; the others are ignored, like unknown names. Each takes about 1 µs. */
export const maxPairs = 5_000;

/** Replaces a text that is no UTF-8: half a character, which every parameter refuses. */
const unreadable = '\udfff';

/** The values of one name in a form. */
interface Values {
  /** Each with its index, if it has one. */
  readonly elements: { readonly text: string; readonly index: number | undefined }[];
  /** Whether it is a list even with one element. */
  list: boolean;
  /** Whether it is an object, which every parameter refuses. */
  object: boolean;
}

/**
 * Reads a form or a query in linear time. Lists may have the forms of PHP and jQuery: `members[]=1`, `members[0]=1`,
 * or a repeated name. Other brackets make an object. A broken escape stays as it is, and a text that is no UTF-8
 * becomes one that every parameter refuses.
 */
export function readForm(text: string): Record<string, unknown> {
  return text === '' ? {} : formOf(pairsOf(text));
}

/** Reads the body of a form, which may hold bytes that should have been escaped. */
export function readFormBody(body: Buffer): Record<string, unknown> {
  return readForm(body.toString('latin1').replace(/[\x80-\xff]/g, escapeByte));
}

/** Collects the names and texts of a form. */
export function formOf(pairs: Iterable<readonly [name: string, text: string]>): Record<string, unknown> {
  const form = new Map<string, Values>();
  for (const [name, text] of pairs) addPair(form, name, text);
  return Object.fromEntries(Array.from(form, ([name, values]) => [name, readValues(values)]));
}

/** The text of bytes; what is no UTF-8 becomes a text that every parameter refuses. */
export function readText(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString() : unreadable;
}

function* pairsOf(text: string): Generator<[string, string]> {
  let at = 0;
  for (let count = 0; count < maxPairs && at < text.length; count++) {
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

function readValues({ elements, list, object }: Values): unknown {
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

/** The bytes of a text with escapes. */
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
