import type { Json } from '../../log/log.ts';

/**
 * The canonical JSON of RFC 8785: keys sorted by their UTF-16 code units, numbers and strings as ECMAScript writes
 * them. The RFC has no form for a lone surrogate, which our log keeps: it is written as its escape, `\ud800`.
 * @param value what JSON.parse gives
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  let members = '';
  for (const key of Object.keys(value).sort()) {
    members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(value[key])}`;
  }
  return `{${members}}`;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}
