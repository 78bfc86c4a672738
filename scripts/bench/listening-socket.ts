import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { pingFrame, pongFrame } from '../../contracts/push/protocol.ts';

const pingPayload = Buffer.from(pingFrame);

/**
 * A websocket that does as little as can be, since a thousand of them run beside what is measured:
 * it takes whole text frames and hands out their bytes.
 */
export class ListeningSocket {
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  /** Called with the payload of each text frame, except pings, which are answered. */
  onFrame: (payload: Buffer) => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Connects and shakes hands. */
  static async open(port: number, path: string): Promise<ListeningSocket> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.setNoDelay(true);
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    const listening = new ListeningSocket(socket);
    await listening.#shakeHands();
    socket.on('data', (bytes: Buffer) => listening.#take(bytes));
    // The first frames may have come with the answer; by then the caller listens.
    setImmediate(() => listening.#take(Buffer.alloc(0)));
    return listening;
  }

  /** Sends one text frame; the mask is of zeros. */
  send(text: string): void {
    const payload = Buffer.from(text);
    const long = payload.length > 125;
    const header = Buffer.alloc(long ? 8 : 6);
    header[0] = 0x81;
    header[1] = 0x80 | (long ? 126 : payload.length);
    if (long) header.writeUInt16BE(payload.length, 2);
    this.#socket.write(Buffer.concat([header, payload]));
  }

  /** Resolves to the first frame that has the text. */
  frameWith(text: string): Promise<Buffer> {
    const before = this.onFrame;
    return new Promise((resolve) => {
      this.onFrame = (payload) => {
        before(payload);
        if (!payload.includes(text)) return;
        this.onFrame = before;
        resolve(payload);
      };
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  async #shakeHands(): Promise<void> {
    let answer = Buffer.alloc(0);
    for (;;) {
      const [bytes]: Buffer[] = await once(this.#socket, 'data');
      answer = Buffer.concat([answer, bytes ?? Buffer.alloc(0)]);
      const end = answer.indexOf('\r\n\r\n');
      if (end < 0) continue;
      if (!answer.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error('no websocket was opened');
      this.#rest = answer.subarray(end + 4);
      return;
    }
  }

  #take(bytes: Buffer): void {
    let left = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
    for (;;) {
      const short = (left[1] ?? 0) & 0x7f;
      const header = short < 126 ? 2 : 4;
      if (left.length < header) break;
      const length = short < 126 ? short : left.readUInt16BE(2);
      if (left.length < header + length) break;
      if (((left[0] ?? 0) & 0x0f) === 1) this.#receive(left.subarray(header, header + length));
      left = left.subarray(header + length);
    }
    this.#rest = left;
  }

  #receive(payload: Buffer): void {
    if (payload.equals(pingPayload)) this.send(pongFrame);
    else this.onFrame(payload);
  }
}
