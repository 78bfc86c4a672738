import type { RawEvent, RecordedEvent } from '../../log/log.ts';
import { canonicalText } from './tree-entry.ts';

/** An event of which `texts` hold more than their parsed values, so that they were written past the program. */
export interface UnreadEvent {
  readonly event: Pick<RecordedEvent, 'recorded' | 'revision' | 'stream' | 'type'>;
  readonly texts: readonly (keyof RawEvent)[];
}

/** How many digits a number needs at most to be told from every other double. */
const maxDigits = 17;

/** A string, a number, or anything else of one character that is no blank, in a text that is JSON. */
const tokens = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[^\s"]/g;

/**
 * A number with an exponent, or what looks like one in a string. No other token of JSON may be shorter than ECMAScript
 * writes it.
 */
const exponent = /[\d.]e[-+]?\d+\s*[,}\]]/i;

/** How long the canonical text of an event is without its data and metadata. */
const frame = canonicalText({ data: {}, metadata: {} }).length - 2 * '{}'.length;

/**
 * Which texts of an event hold something that parsing them leaves out, as of a key that is there twice JSON.parse gives
 * the last value alone, and of a number the nearest double: the digest of an event is of what was parsed, and says nothing
 * of the rest. Blanks, escapes and the forms of numbers are not counted, as other programs write JSON otherwise than `append`.
 * @param canonical the canonical text of what was parsed
 */
export function unreadTexts({ raw }: Pick<RecordedEvent, 'raw'>, canonical: string): (keyof RawEvent)[] {
  const { data, metadata } = raw;
  // Almost every event is as `append` has written it: its texts are as long as the canonical one, in another order.
  const sameLength = data.length + metadata.length + frame === canonical.length;
  if (sameLength && !exponent.test(data) && !exponent.test(metadata)) return [];
  return (['data', 'metadata'] as const).filter((name) => holdsUnread(raw[name]));
}

/** Whether a text is longer than what it is parsed to, if each string and number of it is written as ECMAScript does. */
function holdsUnread(text: string): boolean {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // It is taken as a whole (`parseStored`), and so is its digest.
    return false;
  }
  let length = 0;
  for (const [token] of text.matchAll(tokens)) {
    if (digitsOf(token) > maxDigits || isBeyondDoubles(token)) return true;
    length += lengthOf(token);
  }
  return length !== JSON.stringify(parsed).length;
}

function lengthOf(token: string): number {
  return token.length === 1 ? 1 : JSON.stringify(JSON.parse(token)).length;
}

/** Whether a token is a number that no double is near, which is read as infinity and written as `null`. */
function isBeyondDoubles(token: string): boolean {
  return /^[-\d]/.test(token) && !Number.isFinite(Number(token));
}

/** How many digits a number has, zeros at either end not counted; 0 for what is none. */
function digitsOf(token: string): number {
  if (!/^[-\d]/.test(token)) return 0;
  const digits = token.replace(/e.*/i, '').replaceAll(/\D/g, '');
  return digits.replaceAll(/^0+|0+$/g, '').length;
}
