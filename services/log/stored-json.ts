import type { Json } from './log.ts';

/** A text of the store as an object, even if it is not JSON; see `objectOf`. */
export function parseStored(text: string): Json {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return { value: text };
  }
}

/**
 * A parsed value as an object. `append` stores only objects. Anything else, which other programs or people have
 * written, is wrapped in one, so that the event is reported as broken and does not stop all reading.
 */
export function objectOf(value: unknown): Json {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
  if (isObject(value)) return value;
  return value === undefined ? {} : { value };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
