/** What breaks a line, moves a cursor, or turns the direction of what stands beside it. */
const disturbing = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/**
 * What nobody sees, such as U+3164, which is a letter by its class. Not the joiners and selectors of which
 * emoji and Persian words are made, nor the tags of regional flags.
 */
const invisible = /[\p{DI}--[\p{VS}\u200c\u200d\u{e0020}-\u{e007f}]]/v;

/** What can be seen by itself: no blank, no mark that needs a letter, no empty braille pattern. */
const visible = /[^\s\p{M}\p{Cf}\p{DI}\u2800]/u;

/** Whether a text can stand as somebody's name beside others: all of it is seen, and nothing but it is changed. */
export function isShowableName(text: string): boolean {
  return visible.test(text) && !disturbing.test(text) && !invisible.test(text);
}
