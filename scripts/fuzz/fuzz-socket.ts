import { connect, type Socket } from 'node:net';
import { type RawData, WebSocket } from 'ws';
import type { Person } from './cast.ts';

/** How a socket came to its end. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** A websocket whose frames are shown as they come, and on which bytes can be written that are no frames. */
export class FuzzSocket {
  /** The user of the socket; undefined if it is anonymous. */
  readonly person: Person | undefined;
  readonly #socket: WebSocket;
  readonly #raw: Socket;
  /** Given by the first frame; until then undefined. */
  id: string | undefined;
  closing: Closing | undefined;
  /** Whether it sent what ends a websocket at once. */
  broken = false;
  readonly #waiting = new Set<() => void>();

  /** @param onFrame is called with each frame */
  constructor(port: number, path: string, person: Person | undefined, onFrame: (text: string) => void) {
    this.person = person;
    this.#raw = connect(port, '127.0.0.1');
    const createConnection = () => this.#raw;
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { createConnection });
    this.#socket.on('message', (data: RawData, isBinary: boolean) => {
      const text = isBinary ? '' : data.toString();
      this.id ??= /"socket_id\\":\\"([\d.]+)/.exec(text)?.[1];
      onFrame(text);
      this.#wake();
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', (code, reason) => {
      this.closing = { code, reason: reason.toString() };
      this.#raw.destroy();
      this.#wake();
    });
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  text(text: string | Buffer): void {
    if (this.isOpen) this.#socket.send(text, { binary: false });
  }

  binary(bytes: Buffer): void {
    if (this.isOpen) this.#socket.send(bytes, { binary: true });
  }

  /** Sends one message in several frames. */
  fragments(parts: readonly string[]): void {
    if (!this.isOpen) return;
    for (const [index, part] of parts.entries()) this.#socket.send(part, { fin: index === parts.length - 1 });
  }

  control(kind: 'ping' | 'pong', payload: Buffer): void {
    if (this.isOpen) this.#socket[kind](payload);
  }

  /** Writes bytes that are no frame; the websocket does not survive them. */
  raw(bytes: Buffer): void {
    this.broken = true;
    if (this.isOpen) this.#raw.write(bytes);
  }

  close(code: number): void {
    this.broken = true;
    this.#socket.close(code);
  }

  /** Resolves to true once the condition holds or the socket is closed, to false if neither is so in time. */
  async until(condition: () => boolean, milliseconds: number): Promise<boolean> {
    const end = performance.now() + milliseconds;
    while (!condition() && this.closing === undefined) {
      const left = end - performance.now();
      if (left <= 0) return false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return true;
  }

  end(): void {
    this.broken = true;
    this.#socket.terminate();
    this.#raw.destroy();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
