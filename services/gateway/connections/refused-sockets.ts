import type { PushCode } from '../../../contracts/push/protocol.ts';
import type { Connection } from './connection.ts';

/** So many sockets may wait for their close; the next ones are closed at once. */
const mostWaiting = 1_000;
/** From 1 s to 2 s, each another time, so that what was refused together does not come back together. */
const leastDelay = 1_000;
const spread = 1_000;
/** A client that does not answer the close is cut off. */
const closingPatience = 2_000;

/**
 * Sockets that were refused at connecting. They are told why at once, and closed a second or two later:
 * some clients open a new one as soon as one closes, hundreds in ten seconds.
 */
export class RefusedSockets {
  readonly #waiting = new Set<Connection>();
  readonly #timers = new Set<NodeJS.Timeout>();

  /** Tells a socket why it is refused, and has it closed. */
  refuse(connection: Connection, code: PushCode, message: string): void {
    if (this.#waiting.size >= mostWaiting) {
      connection.close(code, message);
      this.#after(closingPatience, () => connection.cut());
      return;
    }
    this.#waiting.add(connection);
    connection.error(code, message);
    this.#after(leastDelay + Math.random() * spread, () => {
      this.#waiting.delete(connection);
      connection.end(code, message);
      this.#after(closingPatience, () => connection.cut());
    });
  }

  /** Cuts off those that wait. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const connection of this.#waiting) connection.cut();
  }

  #after(milliseconds: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, milliseconds);
    timer.unref();
    this.#timers.add(timer);
  }
}
