import { Refusal } from '../contracts/codes.ts';

/** Whose work it is, and how much of theirs may wait at once. */
export interface Share {
  readonly of: string;
  readonly most: number;
}

export interface FairLineOptions {
  readonly atOnce: number;
  /** Of one share; by default as much as of all. */
  readonly eachAtOnce?: number;
  /** Of all together; by default what the shares allow. */
  readonly mostWaiting?: number;
  /** How long one waits at most, in milliseconds; by default as long as it takes. */
  readonly patience?: number;
  /** The share that goes before all others. */
  readonly first?: string;
}

interface Waiting {
  readonly begin: () => void;
  readonly refuse: (reason: unknown) => void;
}

/**
 * Lets few do something at once. Those who wait are served in turns with the others, however much one of them
 * asks for; each in the order of asking.
 */
export class FairLine {
  readonly #options: FairLineOptions;
  /** What waits of each share; the one that was served longest ago comes first. */
  readonly #lines = new Map<string, Waiting[]>();
  /** How much of each share runs. */
  readonly #running = new Map<string, number>();
  #runningAll = 0;
  #waiting = 0;

  constructor(options: FairLineOptions) {
    this.#options = options;
  }

  /** Whether nothing runs or waits. */
  get idle(): boolean {
    return this.#runningAll === 0;
  }

  /**
   * Does the work when it is its turn.
   * @param signal gives the turn up, as long as it has not come
   * @throws Refusal tooMany if too much of this share waits; notReady if too much of all waits, or it has
   * waited for too long; the reason of `signal`; what the work throws
   */
  async take<Result>(share: Share, work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    signal?.throwIfAborted();
    if (this.#hasRoom(share.of)) this.#count(share.of, 1);
    else await this.#turn(share, signal);
    try {
      return await work();
    } finally {
      this.#count(share.of, -1);
      this.#moveBack(share.of);
      this.#next();
    }
  }

  /** Whether work of a share may begin. What waits while there is room waits for work of its own share. */
  #hasRoom(of: string): boolean {
    const { atOnce, eachAtOnce = atOnce } = this.#options;
    return this.#runningAll < atOnce && (this.#running.get(of) ?? 0) < eachAtOnce;
  }

  #count(of: string, change: 1 | -1): void {
    const running = (this.#running.get(of) ?? 0) + change;
    if (running === 0) this.#running.delete(of);
    else this.#running.set(of, running);
    this.#runningAll += change;
  }

  #turn({ of, most }: Share, signal: AbortSignal | undefined): Promise<void> {
    const { mostWaiting = Number.POSITIVE_INFINITY, patience } = this.#options;
    const line = this.#lines.get(of) ?? [];
    if (line.length >= most) throw new Refusal('tooMany');
    if (this.#waiting >= mostWaiting) throw new Refusal('notReady');
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(deadline);
        signal?.removeEventListener('abort', giveUp);
      };
      const waiting: Waiting = {
        begin: () => {
          settle();
          resolve();
        },
        refuse: (reason) => {
          settle();
          this.#leave(of, waiting);
          reject(reason);
        },
      };
      const giveUp = () => waiting.refuse(signal?.reason);
      const deadline =
        patience === undefined
          ? undefined
          : setTimeout(() => waiting.refuse(new Refusal('notReady')), patience);
      signal?.addEventListener('abort', giveUp, { once: true });
      line.push(waiting);
      this.#lines.set(of, line);
      this.#waiting += 1;
    });
  }

  #leave(of: string, waiting: Waiting): void {
    const line = this.#lines.get(of) ?? [];
    line.splice(line.indexOf(waiting), 1);
    if (line.length === 0) this.#lines.delete(of);
    this.#waiting -= 1;
  }

  /** Lets begin what may, which is one at most: work has just ended. */
  #next(): void {
    const { first } = this.#options;
    const of =
      first !== undefined && this.#lines.has(first) && this.#hasRoom(first)
        ? first
        : this.#lines.keys().find((share) => this.#hasRoom(share));
    const line = of === undefined ? undefined : this.#lines.get(of);
    const next = line?.shift();
    if (of === undefined || line === undefined || next === undefined) return;
    this.#moveBack(of);
    this.#waiting -= 1;
    this.#count(of, 1);
    next.begin();
  }

  /** Puts what waits of a share, if anything does, behind what waits of the others. */
  #moveBack(of: string): void {
    const line = this.#lines.get(of);
    this.#lines.delete(of);
    if (line && line.length > 0) this.#lines.set(of, line);
  }
}
