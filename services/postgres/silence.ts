import { Socket } from 'node:net';
import type { Client } from 'pg';

const checkEveryMs = 250;

/** If a check is late by this much, this process was blocked, and the server is not to blame. */
const blockedMs = 1_000;

/** A connection was destroyed: the database did not answer on it, or on another one of its pool. */
class DatabaseSilent extends Error {
  override readonly name = 'DatabaseSilent';
  readonly code = 'ETIMEDOUT';
}

/**
 * Destroys a connection that awaits an answer and has received nothing for a time: its queries fail, and a pool
 * replaces it. Nothing else detects a peer that disappeared silently: TCP resends for a quarter of an hour, and a
 * proxy in between may acknowledge for ever.
 *
 * It costs nothing per query: one timer per connection compares the byte counters of the socket.
 */
export class SilenceWatch {
  readonly #socket: Socket | undefined;
  /** `bytesWritten` when the last answer was complete. */
  #answered: number;
  /** When something was last received, or no answer was awaited. */
  #lastActive = performance.now();

  /**
   * @param client connected, and without a running query
   * @param timeoutMs the longest silence while an answer is awaited
   * @param onSilent called when the connection is destroyed for its silence
   */
  constructor(client: Client, timeoutMs: number, onSilent: () => void) {
    const { stream } = client.connection;
    this.#socket = stream instanceof Socket ? stream : undefined;
    this.#answered = this.#written;
    let received = this.#socket?.bytesRead;
    let lastCheck = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      const blocked = now - lastCheck > checkEveryMs + blockedMs;
      lastCheck = now;
      if (!this.awaitsAnswer || blocked || this.#socket?.bytesRead !== received) {
        received = this.#socket?.bytesRead;
        this.#lastActive = now;
      } else if (now - this.#lastActive >= timeoutMs) {
        // If this process was blocked, the answer may be in the socket's buffer: it is read before this runs.
        setImmediate(() => {
          if (!this.awaitsAnswer || this.#socket?.bytesRead !== received) return;
          this.#socket?.destroy(new DatabaseSilent(`the database has not answered for ${timeoutMs} ms`));
          onSilent();
        });
      }
    }, checkEveryMs);
    timer.unref();
    // The client emits it when all its queries are answered.
    client.on('drain', () => {
      this.#answered = this.#written;
    });
    client.on('end', () => clearInterval(timer));
  }

  /** Destroys the connection unless an answer is awaited. */
  breakIdle(reason: string): void {
    if (!this.awaitsAnswer) this.#socket?.destroy(new DatabaseSilent(reason));
  }

  /** Whether a query was sent that is not fully answered. */
  get awaitsAnswer(): boolean {
    return this.#written !== this.#answered;
  }

  /** For how long an answer has been awaited without receiving anything; 0 if none is awaited. */
  get silentMs(): number {
    return this.awaitsAnswer ? performance.now() - this.#lastActive : 0;
  }

  get #written(): number {
    return this.#socket?.bytesWritten ?? 0;
  }
}
