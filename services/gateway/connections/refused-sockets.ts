import type { PushCode } from '../../../contracts/push/protocol.ts';
import { type Connection, closingTimeoutMs } from './connection.ts';

/** More refused sockets than this do not wait for their close. */
const maxWaiting = 1_000;
/** The close comes after 1 s to 2 s, random, so that clients that were refused together do not return together. */
const minDelayMs = 1_000;
const jitterMs = 1_000;

/**
 * Sockets that were refused at connecting. They get the error at once, and are closed 1 s to 2 s later: some
 * clients open a new socket as soon as one closes, hundreds in 10 s.
 */
export class RefusedSockets {
  readonly #waiting = new Set<Connection>();
  readonly #timers = new Set<NodeJS.Timeout>();

  /** Sends the error to a socket, and closes it later. */
  refuse(connection: Connection, code: PushCode, message: string): void {
    if (this.#waiting.size >= maxWaiting) {
      connection.close(code, message);
      this.#after(closingTimeoutMs, () => connection.cut());
      return;
    }
    this.#waiting.add(connection);
    connection.error(code, message);
    this.#after(minDelayMs + Math.random() * jitterMs, () => {
      this.#waiting.delete(connection);
      connection.end(code, message);
      this.#after(closingTimeoutMs, () => connection.cut());
    });
  }

  /** Cuts off the sockets that wait. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const connection of this.#waiting) connection.cut();
  }

  #after(delayMs: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, delayMs);
    timer.unref();
    this.#timers.add(timer);
  }
}
