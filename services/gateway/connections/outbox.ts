/** What has frames to write. */
interface Writer {
  flush(): void;
}

/**
 * The sockets that have something to write. All write at the end of the event loop's turn: what comes
 * for one socket meanwhile goes out in one write, for it is the system's calls that delivering costs.
 */
export class Outbox {
  #waiting: Writer[] = [];

  /** Has it flushed at the end of this turn; to be called once a turn. */
  add(writer: Writer): void {
    if (this.#waiting.push(writer) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const writer of waiting) writer.flush();
  }
}
