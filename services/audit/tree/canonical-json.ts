import type { Json } from '../../log/log.ts';

/**
 * The canonical JSON of RFC 8785: keys sorted by their UTF-16 code units, numbers and strings as ECMAScript writes
 * them. The RFC has no form for a lone surrogate, which our log keeps: it is written as its escape, `\ud800`.
 * @param value what JSON.parse gives
 */
export function canonicalJson(value: unknown): string {
  const ordered = inOrder(value);
  return ordered === undefined ? assembled(value) : JSON.stringify(ordered);
}

/**
 * A copy with its keys in order, which JSON.stringify writes faster than the members one by one; undefined if an object
 * cannot have its keys in that order: those that are numbers come first, and `__proto__` is no key of its own.
 */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) {
    const copies = value.map(inOrder);
    return copies.includes(undefined) ? undefined : copies;
  }
  if (!isObject(value)) return value;
  const ordered: Record<string, unknown> = {};
  for (const key of Object.keys(value).sort()) {
    const copy = /^[\d_]/.test(key) ? undefined : inOrder(value[key]);
    if (copy === undefined) return undefined;
    ordered[key] = copy;
  }
  return ordered;
}

function assembled(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(assembled).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  let members = '';
  for (const key of Object.keys(value).sort()) {
    members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${assembled(value[key])}`;
  }
  return `{${members}}`;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}
