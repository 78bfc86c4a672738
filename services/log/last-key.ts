/** The text of a JSON object without its last key, whose `"key":…}` begins at `start`. */
export function withoutLastKey(text: string, start: number): string {
  return `${text.slice(0, text[start - 1] === ',' ? start - 1 : start)}}`;
}
