import protobuf from 'protobufjs/minimal.js';

/** Writes the fields of a message of protobuf, by their numbers in the server's definitions. */
export class MessageWriter {
  readonly #writer = protobuf.Writer.create();

  /** An unsigned number of up to 64 bits. */
  number(field: number, value: number | bigint): this {
    const exact =
      typeof value === 'bigint' && value > Number.MAX_SAFE_INTEGER ? String(value) : Number(value);
    this.#writer.uint32(field << 3).uint64(exact);
    return this;
  }

  text(field: number, value: string): this {
    this.#writer.uint32((field << 3) | 2).string(value);
    return this;
  }

  /** A message in a field, without fields of its own by default. */
  message(field: number, write?: (inner: this) => void): this {
    this.#writer.uint32((field << 3) | 2).fork();
    write?.(this);
    this.#writer.ldelim();
    return this;
  }

  bytes(): Uint8Array {
    return this.#writer.finish();
  }
}
