/** How values of one type are written in Postgres' binary format. */
export interface ValueType<Value> {
  /** How many bytes a value takes at most. */
  readonly maxBytes: (value: Value) => number;
  /** Writes a value. @returns how many bytes it takes @throws TypeError for one that the type cannot hold */
  readonly write: (value: Value, target: Target, at: number) => number;
}

/** A type of which arrays are sent. */
export interface ElementType<Element> extends ValueType<Element> {
  /** The type and that of its arrays, as pg_type numbers them. */
  readonly id: number;
  readonly arrayId: number;
}

/** The same bytes twice: a view writes numbers faster, a buffer texts. */
export interface Target {
  readonly buffer: Buffer;
  readonly view: DataView;
}

/** @param maxSize how many bytes it has room for */
export function newTarget(maxSize: number): Target {
  const buffer = Buffer.allocUnsafe(maxSize);
  return { buffer, view: new DataView(buffer.buffer, buffer.byteOffset, maxSize) };
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const hyphen = 0x2d;

/** The value of a hexadecimal digit. */
function hexDigit(code: number): number {
  return code < 0x40 ? code - 0x30 : (code & 0x5f) - 0x37;
}

export const bool: ElementType<boolean> = {
  id: 16,
  arrayId: 1000,
  maxBytes: () => 1,
  write(element, { view }, at) {
    view.setUint8(at, element ? 1 : 0);
    return 1;
  },
};

/** Integers below 2^31. */
export const int4: ElementType<number> = {
  id: 23,
  arrayId: 1007,
  maxBytes: () => 4,
  write(element, { view }, at) {
    if ((element | 0) !== element) throw new TypeError(`not an integer of 32 bits: ${element}`);
    view.setInt32(at, element);
    return 4;
  },
};

/** Safe integers. */
export const int8: ElementType<number> = {
  id: 20,
  arrayId: 1016,
  maxBytes: () => 8,
  write(element, { view }, at) {
    if (!Number.isSafeInteger(element)) throw new TypeError(`not a safe integer: ${element}`);
    view.setInt32(at, Math.floor(element / 0x1_0000_0000));
    view.setUint32(at + 4, element >>> 0);
    return 8;
  },
};

/** Up to this length, ids and names of ASCII are written faster character by character than by a call of the buffer. */
const maxShortLength = 24;

/** Of longer texts the size is counted: to reserve the most that they could take would waste memory. */
const maxUncountedLength = 1_000;

/** Postgres refuses NUL in a text. */
export const text: ElementType<string> = {
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
};

/** UUIDs with hyphens. */
export const uuid: ElementType<string> = {
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
};

/** Lists of safe integers. */
export const int8List: ValueType<readonly number[]> = {
  maxBytes: (elements) => 20 + 12 * elements.length,
  write(elements, target, at) {
    const { view } = target;
    view.setInt32(at, elements.length === 0 ? 0 : 1);
    view.setInt32(at + 4, 0);
    view.setInt32(at + 8, int8.id);
    if (elements.length === 0) return 12;
    view.setInt32(at + 12, elements.length);
    view.setInt32(at + 16, 1);
    let end = at + 20;
    for (const element of elements) {
      view.setInt32(end, int8.write(element, target, end + 4));
      end += 12;
    }
    return end - at;
  },
};
