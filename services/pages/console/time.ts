/** A time in the reader's zone and language, to the second. @param ms since 1970 */
export function timeOf(ms: number): string {
  return new Date(ms).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}
