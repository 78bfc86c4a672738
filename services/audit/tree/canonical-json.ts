/**
 * The canonical JSON of RFC 8785: keys sorted by their UTF-16 code units, numbers and strings as ECMAScript writes
 * them. The RFC has no form for a lone surrogate, which our log keeps: it is written as its escape, `\ud800`.
 * @param value what JSON.parse gives
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}
