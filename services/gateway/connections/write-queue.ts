/** What has frames to write. */
interface Writer {
  flush(): void;
}

/**
 * The sockets with frames to write. All write at the end of the event loop's turn, so that the frames of one
 * turn for one socket need one system call: system calls are the main cost of delivery.
 */
export class WriteQueue {
  #writers: Writer[] = [];

  /** Flushes the writer at the end of this turn. The caller adds a writer once a turn. */
  add(writer: Writer): void {
    if (this.#writers.push(writer) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const writers = this.#writers;
    this.#writers = [];
    for (const writer of writers) writer.flush();
  }
}
