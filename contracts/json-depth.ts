/**
 * The deepest nesting of JSON that a caller may send, in levels. Requests need three levels, and signed `user_info`
 * a few more; a parser needs far more time for a level than for a character.
 */
export const maxJsonLevels = 64;

const quote = 0x22;
const backslash = 0x5c;
const openings: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const closings: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/**
 * Whether a JSON text has more than `maxLevels` levels of lists and objects, found in linear time without parsing.
 * For a text that is no JSON the result means nothing.
 */
export function isDeeperThan(text: string, maxLevels = maxJsonLevels): boolean {
  let level = 0;
  let inText = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) inText = !inText;
    else if (inText) {
      if (code === backslash) at++;
    } else if (openings.has(code)) {
      level += 1;
      if (level > maxLevels) return true;
    } else if (closings.has(code)) level -= 1;
  }
  return false;
}
