import { Refusal } from '../contracts/codes.ts';

/** Whose work it is, and how much of theirs may wait at once. */
export interface Share {
  readonly of: string;
  readonly most: number;
}

export interface FairLineOptions {
  readonly atOnce: number;
  /** Of all together. */
  readonly mostWaiting: number;
  /** How long one waits at most, in milliseconds. */
  readonly patience: number;
}

interface Waiting {
  readonly begin: () => void;
  readonly deadline: NodeJS.Timeout;
}

/** Lets few do something at once. Who waits is served in turns with the others, however much one of them asks for. */
export class FairLine {
  readonly #options: FairLineOptions;
  readonly #lines = new Map<string, Waiting[]>();
  #waiting = 0;
  #running = 0;

  constructor(options: FairLineOptions) {
    this.#options = options;
  }

  /** Whether nothing runs or waits. */
  get idle(): boolean {
    return this.#running === 0;
  }

  /**
   * Does the work when it is its turn.
   * @throws Refusal tooMany if too much of this share waits; notReady if too much of all waits, or it has
   * waited for too long; what the work throws
   */
  async take<Result>(share: Share, work: () => Promise<Result>): Promise<Result> {
    if (this.#running >= this.#options.atOnce) await this.#turn(share);
    else this.#running += 1;
    try {
      return await work();
    } finally {
      this.#passOn();
    }
  }

  #turn({ of, most }: Share): Promise<void> {
    const { mostWaiting, patience } = this.#options;
    const line = this.#lines.get(of) ?? [];
    if (line.length >= most) throw new Refusal('tooMany');
    if (this.#waiting >= mostWaiting) throw new Refusal('notReady');
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        this.#leave(of, waiting);
        reject(new Refusal('notReady'));
      }, patience);
      const waiting = { begin: resolve, deadline };
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

  /** Gives the place to the first of the share that was served longest ago. */
  #passOn(): void {
    const [of, line] = this.#lines.entries().next().value ?? [];
    const next = line?.shift();
    if (of === undefined || line === undefined || next === undefined) {
      this.#running -= 1;
      return;
    }
    this.#lines.delete(of);
    if (line.length > 0) this.#lines.set(of, line);
    this.#waiting -= 1;
    clearTimeout(next.deadline);
    next.begin();
  }
}
