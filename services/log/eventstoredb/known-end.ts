import { type Position, startOfLog } from '../log.ts';
import type { EventStoreDBConnection } from './connection.ts';
import { logRequest } from './read-request.ts';
import { readWithTimeout } from './read-with-timeout.ts';

/** The end of the log as far as this process knows it. */
export class KnownEnd {
  readonly #connection: EventStoreDBConnection;
  readonly #readTimeoutMs: number;
  /** The log reaches at least to this position. */
  position: Position = startOfLog;
  /** When `position` was the end of the log, on the clock of `performance.now()`. */
  knownAt = Number.NEGATIVE_INFINITY;

  constructor(connection: EventStoreDBConnection, readTimeoutMs: number) {
    this.#connection = connection;
    this.#readTimeoutMs = readTimeoutMs;
  }

  /** Notes that the log ended at `position` at time `at`. */
  wasAt(position: Position, at: number): void {
    if (position < this.position) return;
    this.position = position;
    this.knownAt = at;
  }

  /** Notes an event that may have been followed by others, such as one that is read from history. */
  includes(position: Position): void {
    if (position > this.position) this.position = position;
  }

  /**
   * Reads the end from the leader, which is the cheapest request there is. A node that knows no leader refuses it, as it
   * refuses appends.
   * @throws LogFailure
   */
  async query(): Promise<void> {
    const began = performance.now();
    const last = readWithTimeout(this.#connection, logRequest('backwards', 1), this.#readTimeoutMs);
    for await (const { position } of last) this.wasAt(position, began);
  }

  /** The log has changed: nothing is known of its end. */
  reset(): void {
    this.position = startOfLog;
    this.knownAt = Number.NEGATIVE_INFINITY;
  }
}
