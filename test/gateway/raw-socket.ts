import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { app } from './harness.ts';

/** The parts of a frame, valid or not. */
export interface RawFrame {
  readonly opcode: number;
  readonly payload?: Buffer | string;
  /** By default true, true and none. */
  readonly last?: boolean;
  readonly masked?: boolean;
  readonly reserved?: number;
  /** A false length. */
  readonly claims?: bigint;
}

export const opcodes = { continuation: 0, text: 1, close: 8, ping: 9, pong: 10 } as const;

/** The bytes of a frame that a websocket library may refuse to send. */
export function frameBytes(frame: RawFrame): Buffer {
  const { opcode, payload = '', last = true, masked = true, reserved = 0, claims } = frame;
  const body = Buffer.from(payload);
  const length = claims ?? BigInt(body.length);
  const extended = length < 126n ? Buffer.alloc(0) : Buffer.alloc(length < 65_536n ? 2 : 8);
  if (extended.length === 2) extended.writeUInt16BE(Number(length));
  if (extended.length === 8) extended.writeBigUInt64BE(length);
  const short = extended.length === 0 ? Number(length) : extended.length === 2 ? 126 : 127;
  const head = [(last ? 0x80 : 0) | (reserved << 4) | opcode, (masked ? 0x80 : 0) | short];
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([Buffer.from(head), extended, Buffer.alloc(masked ? 4 : 0), body]);
}

/** A websocket that can send invalid frames. */
export class RawSocket {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (data) => {
      this.#received = Buffer.concat([this.#received, Buffer.from(data)]);
    });
    socket.on('error', () => undefined);
  }

  /** Connects, and waits for the first frame. */
  static async connect(port: number): Promise<RawSocket> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const raw = new RawSocket(socket);
    const request = [
      `GET /app/${app.key}?protocol=7 HTTP/1.1`,
      'Host: gateway',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
    ];
    socket.write(`${request.join('\r\n')}\r\n\r\n`);
    while (!raw.#received.includes('connection_established')) await once(socket, 'data');
    raw.#received = raw.#received.subarray(raw.#received.indexOf('\r\n\r\n') + 4);
    return raw;
  }

  send(...frames: readonly RawFrame[]): void {
    this.#socket.write(Buffer.concat(frames.map(frameBytes)));
  }

  /** Sends nothing more. */
  end(): void {
    this.#socket.end();
  }

  /** Waits until the server has closed it. Returns the code of its close frame; undefined if it sent none. */
  async closeCode(): Promise<number | undefined> {
    if (!this.#socket.closed) await once(this.#socket, 'close');
    return this.#codes().at(-1);
  }

  #codes(): number[] {
    const codes = [];
    for (let at = 0; at + 2 <= this.#received.length; ) {
      const short = (this.#received[at + 1] ?? 0) & 0x7f;
      const head = short < 126 ? 2 : 4;
      const length = short < 126 ? short : this.#received.readUInt16BE(at + 2);
      if (((this.#received[at] ?? 0) & 0xf) === opcodes.close)
        codes.push(this.#received.readUInt16BE(at + head));
      at += head + length;
    }
    return codes;
  }
}
