/** Characters that break a line, move a cursor, or change the direction of the text beside them. */
const disturbing = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/**
 * Invisible characters, such as U+3164, which is a letter by its class. Not the joiners and selectors in emoji and
 * Persian words, nor the tags of regional flags.
 */
const invisible = /[\p{DI}--[\p{VS}\u200c\u200d\u{e0020}-\u{e007f}]]/v;

/** A character that is visible by itself: no blank, no mark that needs a letter, no empty braille pattern. */
const visible = /[^\s\p{M}\p{Cf}\p{DI}\u2800]/u;

/** Whether a text can be shown as a name: all of it is visible, and it changes nothing around it. */
export function isShowableName(text: string): boolean {
  return visible.test(text) && !disturbing.test(text) && !invisible.test(text);
}
