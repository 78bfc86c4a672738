/** The element types that go as binary arrays, each with its own type id and that of its array. */
const elementTypes = {
  bool: { element: 16, array: 1000 },
  int4: { element: 23, array: 1007 },
  int8: { element: 20, array: 1016 },
  text: { element: 25, array: 1009 },
  uuid: { element: 2950, array: 2951 },
} as const;

/** A parameter that is an array; it goes in binary, which neither side has to quote or parse. */
export type ArrayParameter =
  | { readonly of: 'bool'; readonly elements: readonly (boolean | null)[] }
  | { readonly of: 'int4' | 'int8'; readonly elements: readonly (number | null)[] }
  | { readonly of: 'text' | 'uuid'; readonly elements: readonly (string | null)[] };

export type Parameter = null | string | number | bigint | boolean | ArrayParameter;

/** `bool[]` */
export const bools = (elements: readonly (boolean | null)[]): ArrayParameter => ({ of: 'bool', elements });
/** `int4[]` of whole numbers below 2^31 */
export const int4s = (elements: readonly (number | null)[]): ArrayParameter => ({ of: 'int4', elements });
/** `int8[]` of safe integers */
export const int8s = (elements: readonly (number | null)[]): ArrayParameter => ({ of: 'int8', elements });
/** `text[]`; Postgres takes no NUL in a text */
export const texts = (elements: readonly (string | null)[]): ArrayParameter => ({ of: 'text', elements });
/** `uuid[]` of UUIDs written with dashes */
export const uuids = (elements: readonly (string | null)[]): ArrayParameter => ({ of: 'uuid', elements });

const code = { parse: 0x50, bind: 0x42, describe: 0x44, execute: 0x45, close: 0x43, sync: 0x53 };
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Writes messages of Postgres' extended query protocol one after the other into one buffer, so that
 * a whole transaction leaves in one write.
 */
export class MessageWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(size = 16_384) {
    this.#buffer = Buffer.allocUnsafe(size);
  }

  /** What was written so far. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Names a statement. The types of arrays are told, all others are left to the server. */
  parse(name: string, text: string, values: readonly Parameter[]): void {
    const start = this.#begin(code.parse);
    this.#name(name);
    this.#name(text);
    this.#int16(values.length);
    for (const value of values) this.#int32(isArray(value) ? elementTypes[value.of].array : 0);
    this.#end(start);
  }

  /** Forgets a statement; no error where there is none. */
  close(statement: string): void {
    const start = this.#begin(code.close);
    this.#byte(0x53);
    this.#name(statement);
    this.#end(start);
  }

  describe(statement: string): void {
    const start = this.#begin(code.describe);
    this.#byte(0x53);
    this.#name(statement);
    this.#end(start);
  }

  /** Gives a statement its parameters and runs it. @throws TypeError for a value that its type cannot hold. */
  execute(statement: string, values: readonly Parameter[]): void {
    const bind = this.#begin(code.bind);
    this.#byte(0);
    this.#name(statement);
    this.#int16(values.length);
    for (const value of values) this.#int16(isArray(value) ? 1 : 0);
    this.#int16(values.length);
    for (const value of values) this.#parameter(value);
    this.#int16(0);
    this.#end(bind);
    const execute = this.#begin(code.execute);
    this.#byte(0);
    this.#int32(0);
    this.#end(execute);
  }

  sync(): void {
    this.#end(this.#begin(code.sync));
  }

  #parameter(value: Parameter): void {
    if (value === null) this.#int32(-1);
    else if (isArray(value)) this.#array(value);
    else this.#text(String(value));
  }

  #array(array: ArrayParameter): void {
    const start = this.#open();
    const { elements } = array;
    this.#int32(elements.length === 0 ? 0 : 1);
    this.#int32(elements.includes(null) ? 1 : 0);
    this.#int32(elementTypes[array.of].element);
    if (elements.length > 0) {
      this.#int32(elements.length);
      this.#int32(1);
    }
    if (array.of === 'text') this.#elements(array.elements, (element) => this.#text(element));
    else if (array.of === 'uuid') this.#elements(array.elements, (element) => this.#uuid(element));
    else if (array.of === 'int8') this.#elements(array.elements, (element) => this.#int8(element));
    else if (array.of === 'int4') this.#elements(array.elements, (element) => this.#int4(element));
    else if (array.of === 'bool') this.#elements(array.elements, (element) => this.#bool(element));
    this.#patch(start, this.#length - start - 4);
  }

  #elements<Element>(elements: readonly (Element | null)[], write: (element: Element) => void): void {
    for (const element of elements) {
      if (element === null) this.#int32(-1);
      else write(element);
    }
  }

  #text(text: string): void {
    // UTF-8 takes at most three bytes for each UTF-16 unit
    this.#reserve(4 + text.length * 3);
    const size = this.#buffer.write(text, this.#length + 4);
    this.#buffer.writeInt32BE(size, this.#length);
    this.#length += 4 + size;
  }

  #uuid(uuid: string): void {
    if (!uuidPattern.test(uuid)) throw new TypeError(`not a UUID: ${uuid}`);
    this.#int32(16);
    this.#reserve(16);
    this.#buffer.write(uuid.replaceAll('-', ''), this.#length, 'hex');
    this.#length += 16;
  }

  #int8(value: number): void {
    if (!Number.isSafeInteger(value)) throw new TypeError(`not a safe integer: ${value}`);
    this.#reserve(12);
    this.#buffer.writeInt32BE(8, this.#length);
    this.#buffer.writeInt32BE(Math.floor(value / 0x1_0000_0000), this.#length + 4);
    this.#buffer.writeUInt32BE(value >>> 0, this.#length + 8);
    this.#length += 12;
  }

  #int4(value: number): void {
    if ((value | 0) !== value) throw new TypeError(`not an integer of 32 bits: ${value}`);
    this.#int32(4);
    this.#int32(value);
  }

  #bool(value: boolean): void {
    this.#int32(1);
    this.#byte(value ? 1 : 0);
  }

  /** A name or a statement's text, which ends with NUL and so must not hold one. */
  #name(text: string): void {
    if (text.includes('\0')) throw new TypeError('a statement holds NUL');
    this.#reserve(text.length * 3 + 1);
    this.#length += this.#buffer.write(text, this.#length);
    this.#buffer[this.#length++] = 0;
  }

  #begin(message: number): number {
    this.#byte(message);
    return this.#open();
  }

  /** Leaves room for a length and tells where. */
  #open(): number {
    const start = this.#length;
    this.#int32(0);
    return start;
  }

  /** A message's length counts itself. */
  #end(start: number): void {
    this.#patch(start, this.#length - start);
  }

  #patch(at: number, value: number): void {
    this.#buffer.writeInt32BE(value, at);
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  #int16(value: number): void {
    this.#reserve(2);
    this.#length = this.#buffer.writeUInt16BE(value, this.#length);
  }

  #int32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeInt32BE(value, this.#length);
  }

  #reserve(size: number): void {
    const wanted = this.#length + size;
    if (wanted <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(wanted, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

function isArray(value: Parameter): value is ArrayParameter {
  return typeof value === 'object' && value !== null;
}
