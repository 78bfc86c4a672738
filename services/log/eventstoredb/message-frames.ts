/** Each message of gRPC has a byte before it that says whether it is compressed, and four with its length. */
const headBytes = 5;

/** Nothing that the server stores is longer: 16 MB, and what is sent around an event. */
const maxMessageBytes = 17 * 1024 * 1024;

const noBytes = Buffer.alloc(0);

/** Finds the messages of gRPC in bytes that arrive in any pieces. */
export class MessageFrames {
  /** What has arrived of a message that is not complete. */
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  /** How many bytes are needed before there is anything to find. */
  #needed = headBytes;

  /**
   * The messages that are complete with these bytes, each valid until the next call.
   * @throws RangeError for a message that is too long or compressed, which the server was not asked for
   */
  *add(bytes: Buffer): Generator<Buffer, void, undefined> {
    this.#pieceBytes += bytes.length;
    if (this.#pieceBytes < this.#needed) {
      this.#pieces.push(bytes);
      return;
    }
    const all = this.#pieces.length === 0 ? bytes : Buffer.concat([...this.#pieces, bytes]);
    let at = 0;
    this.#needed = headBytes;
    while (all.length - at >= headBytes) {
      const length = all.readUInt32BE(at + 1);
      if (all[at] !== 0) throw new RangeError('a message is compressed');
      if (length > maxMessageBytes) throw new RangeError(`a message has ${length} bytes`);
      if (all.length - at < headBytes + length) {
        this.#needed = headBytes + length;
        break;
      }
      const start = at + headBytes;
      at = start + length;
      yield all.subarray(start, at);
    }
    const rest = at === 0 ? all : at === all.length ? noBytes : all.subarray(at);
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#pieceBytes = rest.length;
  }
}

/** A message with its head, put together from its parts. */
export function writeFrame(parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const frame = Buffer.allocUnsafe(headBytes + length);
  frame[0] = 0;
  let at = frame.writeUInt32BE(length, 1);
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}
