import { Socket } from 'node:net';
import type { Client } from 'pg';

/** How often a connection is looked at, in milliseconds. */
const lookEvery = 250;

/** A look that comes this much too late, in milliseconds, says that this process stood still, not the server. */
const stall = 1_000;

/** A connection was given up: the database did not answer on it, or on another one of its pool. */
class DatabaseSilent extends Error {
  override readonly name = 'DatabaseSilent';
  readonly code = 'ETIMEDOUT';
}

/**
 * Destroys a connection that owes an answer and has received nothing for a time: what waits on it
 * fails, and a pool replaces it. Nothing else notices a peer that is lost without a word: TCP resends
 * for a quarter of an hour, and a proxy in between may acknowledge for ever.
 *
 * It costs a query nothing: one timer a connection compares the socket's counters.
 */
export class SilenceWatch {
  readonly #socket: Socket | undefined;
  /** How much had been written when the last answer was complete. */
  #settled: number;
  /** When something came last, or nothing was owed. */
  #heard = performance.now();

  /**
   * @param client connected, and with no query under way
   * @param limit in milliseconds
   * @param silent called when the connection is destroyed for its silence
   */
  constructor(client: Client, limit: number, silent: () => void) {
    const { stream } = client.connection;
    this.#socket = stream instanceof Socket ? stream : undefined;
    this.#settled = this.#written;
    let received = this.#socket?.bytesRead;
    let looked = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      const late = now - looked > lookEvery + stall;
      looked = now;
      if (!this.owes || late || this.#socket?.bytesRead !== received) {
        received = this.#socket?.bytesRead;
        this.#heard = now;
      } else if (now - this.#heard >= limit) {
        // If this process stood still, an answer may lie in the socket: it is read before this runs.
        setImmediate(() => {
          if (!this.owes || this.#socket?.bytesRead !== received) return;
          this.#socket?.destroy(new DatabaseSilent(`the database has not answered for ${limit} ms`));
          silent();
        });
      }
    }, lookEvery);
    timer.unref();
    // The client emits it once everything that it was asked is answered.
    client.on('drain', () => {
      this.#settled = this.#written;
    });
    client.on('end', () => clearInterval(timer));
  }

  /** Destroys the connection unless an answer is under way. */
  breakIdle(reason: string): void {
    if (!this.owes) this.#socket?.destroy(new DatabaseSilent(reason));
  }

  /** Whether an answer is under way. */
  get owes(): boolean {
    return this.#written !== this.#settled;
  }

  /** For how long an answer has been owed without anything coming, in milliseconds; 0 if none is. */
  get silence(): number {
    return this.owes ? performance.now() - this.#heard : 0;
  }

  get #written(): number {
    return this.#socket?.bytesWritten ?? 0;
  }
}
