import { setTimeout as delay } from 'node:timers/promises';
import { Refusal } from '../contracts/codes.ts';

/** On whose behalf work runs, and how many pieces of their work may wait. */
export interface Share {
  readonly of: string;
  readonly maxWaiting: number;
}

export interface FairQueueOptions {
  readonly maxRunning: number;
  /** Of one share; by default `maxRunning`. */
  readonly maxRunningEach?: number;
  /** Of all shares together; by default there is no such limit. */
  readonly maxWaiting?: number;
  /** How long work may wait before it is refused; by default for ever. */
  readonly timeoutMs?: number;
  /** The share that goes before all others. */
  readonly first?: string;
  /** After work its place stays empty for as long as the work took, up to this; by default it does not. */
  readonly maxRestMs?: number;
  /** How many times as long as the work took its place stays empty; by default once. */
  readonly restFactor?: number;
}

interface Waiting {
  readonly begin: () => void;
  readonly refuse: (reason: unknown) => void;
}

/**
 * Limits how many pieces of work run at once. Waiting work is started round-robin over the shares, so that
 * a share with many pieces delays the others by one piece; within a share, in the order of the calls.
 *
 * p-queue and p-limit have priorities, but neither turns by share nor a bound on what waits.
 */
export class FairQueue {
  readonly #options: FairQueueOptions;
  /** The waiting work of each share; the share that was served longest ago comes first. */
  readonly #queues = new Map<string, Waiting[]>();
  readonly #runningOf = new Map<string, number>();
  #running = 0;
  #waiting = 0;

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  /** Whether nothing runs or waits. */
  get idle(): boolean {
    return this.#running === 0;
  }

  /**
   * Runs `work` when its turn comes.
   * @param signal removes it from the queue while it waits
   * @throws Refusal tooMany if this share has too much waiting; Refusal notReady if all shares together
   * have, or after `timeoutMs`; the reason of `signal`; what `work` throws
   */
  async run<Result>(share: Share, work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    signal?.throwIfAborted();
    if (this.#hasRoom(share.of)) this.#count(share.of, 1);
    else await this.#wait(share, signal);
    const began = performance.now();
    try {
      return await work();
    } finally {
      const { restFactor = 1, maxRestMs = 0 } = this.#options;
      const restMs = Math.min((performance.now() - began) * restFactor, maxRestMs);
      if (restMs < 1) this.#leave(share.of);
      else void delay(restMs, undefined, { ref: false }).then(() => this.#leave(share.of));
    }
  }

  /** Whether work of a share may start. Work that waits while there is room waits for its own share. */
  #hasRoom(of: string): boolean {
    const { maxRunning, maxRunningEach = maxRunning } = this.#options;
    return this.#running < maxRunning && (this.#runningOf.get(of) ?? 0) < maxRunningEach;
  }

  #count(of: string, change: 1 | -1): void {
    const running = (this.#runningOf.get(of) ?? 0) + change;
    if (running === 0) this.#runningOf.delete(of);
    else this.#runningOf.set(of, running);
    this.#running += change;
  }

  #wait({ of, maxWaiting: maxWaitingEach }: Share, signal: AbortSignal | undefined): Promise<void> {
    const { maxWaiting = Number.POSITIVE_INFINITY, timeoutMs } = this.#options;
    const queue = this.#queues.get(of) ?? [];
    if (queue.length >= maxWaitingEach) throw new Refusal('tooMany');
    if (this.#waiting >= maxWaiting) throw new Refusal('notReady');
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(deadline);
        signal?.removeEventListener('abort', abort);
      };
      const waiting: Waiting = {
        begin: () => {
          settle();
          resolve();
        },
        refuse: (reason) => {
          settle();
          this.#remove(of, waiting);
          reject(reason);
        },
      };
      const abort = () => waiting.refuse(signal?.reason);
      const deadline =
        timeoutMs === undefined
          ? undefined
          : setTimeout(() => waiting.refuse(new Refusal('notReady')), timeoutMs);
      signal?.addEventListener('abort', abort, { once: true });
      queue.push(waiting);
      this.#queues.set(of, queue);
      this.#waiting += 1;
    });
  }

  #remove(of: string, waiting: Waiting): void {
    const queue = this.#queues.get(of) ?? [];
    queue.splice(queue.indexOf(waiting), 1);
    if (queue.length === 0) this.#queues.delete(of);
    this.#waiting -= 1;
  }

  /** Frees the place of a piece that has ended. */
  #leave(of: string): void {
    const wasFull = this.#running >= this.#options.maxRunning;
    this.#count(of, -1);
    this.#moveBack(of);
    this.#startNext(wasFull ? this.#queues.keys() : [of]);
  }

  /** Starts at most one piece, since one has just ended. @param shares those that may have waited for its place */
  #startNext(shares: Iterable<string>): void {
    const { first } = this.#options;
    const of =
      first !== undefined && this.#queues.has(first) && this.#hasRoom(first)
        ? first
        : Iterator.from(shares).find((share) => this.#hasRoom(share));
    const queue = of === undefined ? undefined : this.#queues.get(of);
    const next = queue?.shift();
    if (of === undefined || queue === undefined || next === undefined) return;
    this.#moveBack(of);
    this.#waiting -= 1;
    this.#count(of, 1);
    next.begin();
  }

  /** Puts a share's waiting work behind that of the others; forgets the share if nothing of it waits. */
  #moveBack(of: string): void {
    const queue = this.#queues.get(of);
    this.#queues.delete(of);
    if (queue && queue.length > 0) this.#queues.set(of, queue);
  }
}
