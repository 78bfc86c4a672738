import qs from 'qs';

/** The most bytes that a request may have which brings no file. */
export const mostBodyBytes = 2 * 1024 * 1024;

/** The most fields of a form. */
export const mostFields = 5000;

/** Reads a form, with lists of a thousand members as PHP and jQuery send them (`members[]=1`, `members[0]=1`). */
export function readForm(text: string): Record<string, unknown> {
  return qs.parse(text, { arrayLimit: 2000, parameterLimit: mostFields, depth: 1 });
}
