import type { Duplex } from 'node:stream';

/**
 * Frames on their way to one socket. The operating system gets some of them, and the next ones when it has
 * accepted those, so that the gateway notices if the client does not read. Frames are not joined to one buffer:
 * sockets that do not read share the buffers of the frames that wait.
 */
export class Outgoing {
  readonly #socket: Duplex;
  /** Frames that wait; those before `#next` are written. */
  #frames: Buffer[] = [];
  #next = 0;
  #bytes = 0;
  #awaitsDrain = false;
  #stalledSince = 0;
  #waiters: (() => void)[] | undefined;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** Bytes that wait here or in Node; the system's own buffers are not counted. */
  get unread(): number {
    return this.#bytes + this.#socket.writableLength;
  }

  /** When the client last read something, on the monotonic clock, if frames wait; 0 if none do. */
  get stalledSince(): number {
    return this.#stalledSince;
  }

  /** Writes frames after those that wait. */
  write(frames: readonly Buffer[]): void {
    for (const frame of frames) {
      this.#frames.push(frame);
      this.#bytes += frame.length;
    }
    this.#writeOut();
  }

  /** Resolves when the system has accepted all frames, or the socket has closed. */
  async drained(): Promise<void> {
    if (this.#stalledSince === 0 || this.#socket.destroyed) return;
    await new Promise<void>((resolve) => {
      this.#waiters ??= [];
      this.#waiters.push(resolve);
    });
  }

  /** Drops the frames that wait: the socket has closed. */
  close(): void {
    this.#frames = [];
    this.#next = 0;
    this.#bytes = 0;
    this.#stalledSince = 0;
    this.#resolveWaiters();
  }

  #writeOut(): void {
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
      this.#stalledSince = 0;
      this.#resolveWaiters();
      return;
    }
    if (this.#stalledSince === 0) this.#stalledSince = performance.now();
    if (this.#awaitsDrain) return;
    this.#awaitsDrain = true;
    socket.once('drain', () => {
      this.#awaitsDrain = false;
      this.#stalledSince = performance.now();
      this.#writeOut();
    });
  }

  #resolveWaiters(): void {
    const waiters = this.#waiters;
    this.#waiters = undefined;
    for (const resolve of waiters ?? []) resolve();
  }
}
