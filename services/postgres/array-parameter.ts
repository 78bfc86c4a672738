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

/** How one type of element is written. */
interface ElementType<Element> {
  readonly id: number;
  readonly arrayId: number;
  /** How many bytes an element takes at most. */
  readonly maxBytes: (element: Element) => number;
  /** Writes an element. @returns how many bytes it takes */
  readonly write: (element: Element, target: Target, at: number) => number;
}

/** The same bytes twice: a view writes numbers faster, a buffer texts. */
interface Target {
  readonly buffer: Buffer;
  readonly view: DataView;
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
  const buffer = Buffer.allocUnsafe(maxSize);
  const view = new DataView(buffer.buffer, buffer.byteOffset, maxSize);
  view.setInt32(0, elements.length === 0 ? 0 : 1);
  view.setInt32(4, nulls);
  view.setInt32(8, type.id);
  if (elements.length === 0) return buffer.subarray(0, 12);
  view.setInt32(12, elements.length);
  view.setInt32(16, 1);
  const target = { buffer, view };
  let at = 20;
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index] ?? null;
    const length = element === null ? -1 : type.write(element, target, at + 4);
    view.setInt32(at, length);
    at += 4 + Math.max(0, length);
  }
  return buffer.subarray(0, at);
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const hyphen = 0x2d;

/** The value of a hexadecimal digit. */
function hexDigit(code: number): number {
  return code < 0x40 ? code - 0x30 : (code & 0x5f) - 0x37;
}

/** `bool[]` */
export const bools = arrayOf<boolean>({
  id: 16,
  arrayId: 1000,
  maxBytes: () => 1,
  write(element, { view }, at) {
    view.setUint8(at, element ? 1 : 0);
    return 1;
  },
});

/** `int4[]` of integers below 2^31 */
export const int4s = arrayOf<number>({
  id: 23,
  arrayId: 1007,
  maxBytes: () => 4,
  write(element, { view }, at) {
    if ((element | 0) !== element) throw new TypeError(`not an integer of 32 bits: ${element}`);
    view.setInt32(at, element);
    return 4;
  },
});

/** `int8[]` of safe integers */
export const int8s = arrayOf<number>({
  id: 20,
  arrayId: 1016,
  maxBytes: () => 8,
  write(element, { view }, at) {
    if (!Number.isSafeInteger(element)) throw new TypeError(`not a safe integer: ${element}`);
    view.setInt32(at, Math.floor(element / 0x1_0000_0000));
    view.setUint32(at + 4, element >>> 0);
    return 8;
  },
});

/** Up to this length, ids and names of ASCII are written faster character by character than by a call of the buffer. */
const maxShortLength = 24;

/** Of longer texts the size is counted: to reserve the most that they could take would waste memory. */
const maxUncountedLength = 1_000;

/** `text[]`; Postgres refuses NUL in a text */
export const texts = arrayOf<string>({
  id: 25,
  arrayId: 1009,
  maxBytes: (element) =>
    element.length > maxUncountedLength ? Buffer.byteLength(element) : 3 * element.length,
  write(element, { buffer }, at) {
    const { length } = element;
    if (length > maxShortLength) return buffer.write(element, at);
    for (let index = 0; index < length; index++) {
      const code = element.charCodeAt(index);
      if (code > 0x7f) return buffer.write(element, at);
      buffer[at + index] = code;
    }
    return length;
  },
});

/** `uuid[]` of UUIDs with hyphens */
export const uuids = arrayOf<string>({
  id: 2950,
  arrayId: 2951,
  maxBytes: () => 16,
  write(element, { buffer }, at) {
    if (!uuidPattern.test(element)) throw new TypeError(`not a UUID: ${element}`);
    let place = at;
    for (let index = 0; index < element.length; index += 2) {
      if (element.charCodeAt(index) === hyphen) index++;
      buffer[place++] = (hexDigit(element.charCodeAt(index)) << 4) | hexDigit(element.charCodeAt(index + 1));
    }
    return 16;
  },
});
