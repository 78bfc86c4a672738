import type { Duplex } from 'node:stream';

/**
 * Frames on their way to one socket. The system is given some at a time, and the next ones once it has
 * taken those, so that it can be seen whether the client reads. Frames are not put together to one buffer:
 * sockets that do not read share what waits for them.
 */
export class Outgoing {
  readonly #socket: Duplex;
  /** Frames that wait; those before `#next` have gone out. */
  #frames: Buffer[] = [];
  #next = 0;
  #bytes = 0;
  #listening = false;
  #stillSince = 0;
  #waiting: (() => void)[] | undefined;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** Bytes that the client has not read yet, as far as the system tells. */
  get unread(): number {
    return this.#bytes + this.#socket.writableLength;
  }

  /** Since when something waits and nothing moves, on the monotonic clock; 0 if nothing waits. */
  get stillSince(): number {
    return this.#stillSince;
  }

  /** Gives frames to the system, after those that wait. */
  write(frames: readonly Buffer[]): void {
    for (const frame of frames) {
      this.#frames.push(frame);
      this.#bytes += frame.length;
    }
    this.#give();
  }

  /** Resolves once the system has taken all of it, or the socket has closed. */
  async taken(): Promise<void> {
    if (this.#stillSince === 0 || this.#socket.destroyed) return;
    await new Promise<void>((resolve) => {
      this.#waiting ??= [];
      this.#waiting.push(resolve);
    });
  }

  /** The socket has closed. */
  closed(): void {
    this.#frames = [];
    this.#next = 0;
    this.#bytes = 0;
    this.#stillSince = 0;
    this.#resolveWaiting();
  }

  #give(): void {
    const socket = this.#socket;
    socket.cork();
    while (!socket.writableNeedDrain) {
      const frame = this.#frames[this.#next];
      if (frame === undefined) break;
      this.#next += 1;
      this.#bytes -= frame.length;
      socket.write(frame);
    }
    socket.uncork();
    if (this.#next === this.#frames.length) {
      this.#frames = [];
      this.#next = 0;
    }
    if (!socket.writableNeedDrain) {
      this.#stillSince = 0;
      this.#resolveWaiting();
      return;
    }
    if (this.#stillSince === 0) this.#stillSince = performance.now();
    if (this.#listening) return;
    this.#listening = true;
    socket.once('drain', () => {
      this.#listening = false;
      this.#stillSince = performance.now();
      this.#give();
    });
  }

  #resolveWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const resolve of waiting ?? []) resolve();
  }
}
