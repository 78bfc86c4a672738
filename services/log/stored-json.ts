import type { Json } from './log.ts';

/** What a text of the store says, as an object, whatever it is: see `objectOf`. */
export function parseStored(text: string): Json {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return { value: text };
  }
}

/**
 * A parsed value as an object. `append` stores nothing but objects; what others wrote or changed is given
 * as one all the same, so that a single such event is named as broken and does not stop all reading.
 */
export function objectOf(value: unknown): Json {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
  if (isObject(value)) return value;
  return value === undefined ? {} : { value };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
