import { LogFailure } from '../log.ts';
import { nextBatch, type PendingAppend } from './batch.ts';

/** The most bytes of appends without a result; then more are refused. */
const maxPendingBytes = 256_000_000;

/** The appends of this process that wait for the next batch, and their deadlines. */
export class AppendQueue {
  readonly #onExpired: (append: PendingAppend) => void;
  #waiting: PendingAppend[] = [];
  /** Of all appends without a result, those that were sent included. */
  #pending = 0;
  #pendingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #drained = Promise.withResolvers<void>();

  /** `onExpired` is called when a waiting append, which then no longer waits, has reached its deadline. */
  constructor(onExpired: (append: PendingAppend) => void) {
    this.#onExpired = onExpired;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** @throws LogFailure if too many bytes are pending */
  add(append: PendingAppend): void {
    if (this.#pendingBytes > maxPendingBytes) {
      throw new LogFailure('unavailable', 'too many bytes wait to be appended');
    }
    this.#pendingBytes += append.bytes;
    this.#pending++;
    this.#waiting.push(append);
    this.#watchDeadlines();
  }

  /** Removes and returns the appends that go in the next transaction. */
  nextBatch(): PendingAppend[] {
    const { batch, rest } = nextBatch(this.#waiting);
    this.#waiting = rest;
    return batch;
  }

  /** Puts a batch back in front, to be sent again. */
  putBack(batch: readonly PendingAppend[]): void {
    this.#waiting = batch.concat(this.#waiting);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#watchDeadlines();
  }

  /** Removes and returns all that wait. */
  clear(): PendingAppend[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  /** To be called for each added append once it has its result. */
  settled(append: PendingAppend): void {
    this.#pendingBytes -= append.bytes;
    this.#pending--;
    if (this.#pending > 0) return;
    this.#drained.resolve();
    this.#drained = Promise.withResolvers();
  }

  /** Resolves once every added append has its result, which is by its deadline at the latest. */
  async drained(): Promise<void> {
    if (this.#pending > 0) await this.#drained.promise;
  }

  /** All wait equally long, so the first in the queue expires first. */
  #watchDeadlines(): void {
    const first = this.#waiting[0];
    if (this.#timer || !first) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        const now = performance.now();
        const expired = this.#waiting.filter(({ deadline }) => deadline <= now);
        this.#waiting = this.#waiting.filter(({ deadline }) => deadline > now);
        for (const append of expired) this.#onExpired(append);
        this.#watchDeadlines();
      },
      Math.max(first.deadline - performance.now(), 1),
    );
  }

  /** Stops the timer; call it once nothing is pending. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
