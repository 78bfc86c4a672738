import { bool, type ElementType, int4, int8, newTarget, text, uuid } from './element-types.ts';

/**
 * An array as a parameter of a statement. It is sent in Postgres' binary format, so that neither side has to quote or
 * parse its elements.
 */
export interface ArrayParameter {
  /** The type of the array, as pg_type numbers it. */
  readonly typeId: number;
  readonly elements: readonly (string | number | boolean | null)[];
  /** @throws TypeError for an element that the type cannot hold */
  encode(): Buffer;
}

function arrayOf<Element extends string | number | boolean>(type: ElementType<Element>) {
  return (elements: readonly (Element | null)[]): ArrayParameter => ({
    typeId: type.arrayId,
    elements,
    encode: () => encode(type, elements),
  });
}

/** Dimensions, whether there are nulls, element type, then length and lower bound unless empty, then the elements. */
function encode<Element>(type: ElementType<Element>, elements: readonly (Element | null)[]): Buffer {
  let maxSize = 20;
  let nulls = 0;
  // By index: an iterator makes an object for each element, and there are some sixty for each message.
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index] ?? null;
    maxSize += 4;
    if (element === null) nulls = 1;
    else maxSize += type.maxBytes(element);
  }
  const target = newTarget(maxSize);
  const { buffer, view } = target;
  view.setInt32(0, elements.length === 0 ? 0 : 1);
  view.setInt32(4, nulls);
  view.setInt32(8, type.id);
  if (elements.length === 0) return buffer.subarray(0, 12);
  view.setInt32(12, elements.length);
  view.setInt32(16, 1);
  let at = 20;
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index] ?? null;
    const length = element === null ? -1 : type.write(element, target, at + 4);
    view.setInt32(at, length);
    at += 4 + Math.max(0, length);
  }
  return buffer.subarray(0, at);
}

/** `bool[]` */
export const bools = arrayOf(bool);

/** `int4[]` of integers below 2^31 */
export const int4s = arrayOf(int4);

/** `int8[]` of safe integers */
export const int8s = arrayOf(int8);

/** `text[]`; Postgres refuses NUL in a text */
export const texts = arrayOf(text);

/** `uuid[]` of UUIDs with hyphens */
export const uuids = arrayOf(uuid);
