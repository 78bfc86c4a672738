import { Refusal } from '../../contracts/codes.ts';

/** Bounds of the work that is done or waits. */
export interface FairBounds {
  /** How many are at work at once. */
  readonly atOnce: number;
  /** How many may wait. */
  readonly maxWaiting: number;
  /** How many of them may be one person's. */
  readonly maxWaitingEach: number;
}

/** Lets few work at once, one at a time for each person, and the persons in turns. */
export class FairTurns {
  readonly #bounds: FairBounds;
  readonly #working = new Set<string>();
  /** What waits for each person; who was served last stands last. */
  readonly #lines = new Map<string, (() => void)[]>();
  #waiting = 0;

  constructor(bounds: FairBounds) {
    this.#bounds = bounds;
  }

  /**
   * Does the work when its turn comes.
   * @param signal gives the turn up, while it has not come
   * @throws Refusal tooMany if too many wait; the reason of `signal`; what the work throws
   */
  async take<Result>(person: string, work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    signal?.throwIfAborted();
    await this.#turn(person, signal);
    try {
      return await work();
    } finally {
      this.#working.delete(person);
      this.#moveBack(person);
      this.#next();
    }
  }

  #turn(person: string, signal: AbortSignal | undefined): Promise<void> {
    const line = this.#lines.get(person) ?? [];
    const { maxWaiting, maxWaitingEach } = this.#bounds;
    if (this.#waiting >= maxWaiting || line.length >= maxWaitingEach) throw new Refusal('tooMany');
    return new Promise((resolve, reject) => {
      const begin = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#leave(person, begin);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#lines.set(person, line);
      line.push(begin);
      this.#waiting += 1;
      this.#next();
    });
  }

  /** Lets those begin who may: the first of each line, from the person who has waited longest for a turn. */
  #next(): void {
    for (const [person, line] of this.#lines) {
      if (this.#working.size >= this.#bounds.atOnce) return;
      if (this.#working.has(person)) continue;
      const begin = line.shift();
      if (line.length === 0) this.#lines.delete(person);
      if (!begin) continue;
      this.#waiting -= 1;
      this.#working.add(person);
      begin();
    }
  }

  /** Puts what a person waits for behind what others wait for. */
  #moveBack(person: string): void {
    const line = this.#lines.get(person);
    if (!line) return;
    this.#lines.delete(person);
    this.#lines.set(person, line);
  }

  #leave(person: string, begin: () => void): void {
    const line = this.#lines.get(person) ?? [];
    const index = line.indexOf(begin);
    if (index < 0) return;
    line.splice(index, 1);
    this.#waiting -= 1;
    if (line.length === 0) this.#lines.delete(person);
  }
}
