/**
 * The deepest nesting of JSON that a caller may send, in levels. Requests need three levels, and signed `user_info`
 * a few more; a parser needs far more time for a level than for a character.
 */
export const maxJsonLevels = 64;

/**
 * Names, lists and objects of JSON that a caller may send, together. The largest call has 40 names, and 10 KB of a
 * client event fewer than 1,800. Reading 30,000 names takes 40 ms of the only thread, as many numbers 0.2 ms.
 */
export const maxJsonParts = 2_000;

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const listBegin = 0x5b;
const listEnd = 0x5d;
const objectBegin = 0x7b;
const objectEnd = 0x7d;

/**
 * Whether a JSON text has more than `maxLevels` levels of lists and objects, found in linear time without parsing.
 * For a text that is no JSON the result means nothing.
 */
export function isDeeperThan(text: string, maxLevels = maxJsonLevels): boolean {
  return exceeds(text, maxLevels, Number.POSITIVE_INFINITY);
}

/** The same for a text of a person: whether it has too many levels, or more than `maxJsonParts`. */
export function exceedsJsonLimits(text: string): boolean {
  return exceeds(text, maxJsonLevels, maxJsonParts);
}

function exceeds(text: string, maxLevels: number, maxParts: number): boolean {
  let level = 0;
  let parts = 0;
  let inText = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) inText = !inText;
    else if (inText) {
      if (code === backslash) at++;
    } else if (code === listBegin || code === objectBegin) {
      level += 1;
      parts += 1;
      if (level > maxLevels || parts > maxParts) return true;
    } else if (code === listEnd || code === objectEnd) level -= 1;
    else if (code === colon && ++parts > maxParts) return true;
  }
  return false;
}
