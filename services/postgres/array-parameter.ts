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
  readonly byteLength: (element: Element) => number;
  readonly write: (element: Element, buffer: Buffer, at: number) => void;
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
  let size = elements.length === 0 ? 12 : 20;
  let nulls = 0;
  // By index: an iterator makes an object for each element, and there are some sixty for each message.
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index] ?? null;
    size += 4;
    if (element === null) nulls = 1;
    else size += type.byteLength(element);
  }
  const buffer = Buffer.allocUnsafe(size);
  buffer.writeInt32BE(elements.length === 0 ? 0 : 1, 0);
  buffer.writeInt32BE(nulls, 4);
  buffer.writeInt32BE(type.id, 8);
  if (elements.length === 0) return buffer;
  buffer.writeInt32BE(elements.length, 12);
  buffer.writeInt32BE(1, 16);
  let at = 20;
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index] ?? null;
    const length = element === null ? -1 : type.byteLength(element);
    buffer.writeInt32BE(length, at);
    at += 4;
    if (element === null) continue;
    type.write(element, buffer, at);
    at += length;
  }
  return buffer;
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
  byteLength: () => 1,
  write: (element, buffer, at) => buffer.writeUInt8(element ? 1 : 0, at),
});

/** `int4[]` of integers below 2^31 */
export const int4s = arrayOf<number>({
  id: 23,
  arrayId: 1007,
  byteLength: () => 4,
  write(element, buffer, at) {
    if ((element | 0) !== element) throw new TypeError(`not an integer of 32 bits: ${element}`);
    buffer.writeInt32BE(element, at);
  },
});

/** `int8[]` of safe integers */
export const int8s = arrayOf<number>({
  id: 20,
  arrayId: 1016,
  byteLength: () => 8,
  write(element, buffer, at) {
    if (!Number.isSafeInteger(element)) throw new TypeError(`not a safe integer: ${element}`);
    buffer.writeInt32BE(Math.floor(element / 0x1_0000_0000), at);
    buffer.writeUInt32BE(element >>> 0, at + 4);
  },
});

/** `text[]`; Postgres refuses NUL in a text */
export const texts = arrayOf<string>({
  id: 25,
  arrayId: 1009,
  byteLength: (element) => Buffer.byteLength(element),
  write: (element, buffer, at) => buffer.write(element, at),
});

/** `uuid[]` of UUIDs with hyphens */
export const uuids = arrayOf<string>({
  id: 2950,
  arrayId: 2951,
  byteLength: () => 16,
  write(element, buffer, at) {
    if (!uuidPattern.test(element)) throw new TypeError(`not a UUID: ${element}`);
    let place = at;
    for (let index = 0; index < element.length; index += 2) {
      if (element.charCodeAt(index) === hyphen) index++;
      buffer[place++] = (hexDigit(element.charCodeAt(index)) << 4) | hexDigit(element.charCodeAt(index + 1));
    }
  },
});
