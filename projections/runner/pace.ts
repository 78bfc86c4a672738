/** Over how long the pace is told, in milliseconds. */
const span = 10_000;

interface Taken {
  readonly at: number;
  readonly events: number;
  /** How much of the log that was, in the log's own measure. */
  readonly extent: number;
}

/** How fast events are taken in, and how much of the log one takes up, over the last seconds. */
export class Pace {
  readonly #now: () => number;
  #taken: Taken[] = [];

  /** `now` is in milliseconds on a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  took(events: number, extent: number): void {
    const at = this.#now();
    this.#taken.push({ at, events, extent });
    // Batches of one event come thousands a second: old entries go in heaps, not one by one.
    if (this.#taken.length > 1_000) this.#forgetOld(at);
    if (this.#taken.length > 2_000) this.#taken = this.#taken.slice(-1_000);
  }

  /** Events a second. */
  get perSecond(): number {
    const now = this.#now();
    this.#forgetOld(now);
    const [first] = this.#taken;
    if (first === undefined) return 0;
    const seconds = Math.max(1, (now - first.at) / 1_000);
    return this.#taken.reduce((sum, { events }) => sum + events, 0) / seconds;
  }

  /** How much of the log one event takes up; undefined while none was taken in lately. */
  get extentOfEvent(): number | undefined {
    this.#forgetOld(this.#now());
    const events = this.#taken.reduce((sum, taken) => sum + taken.events, 0);
    const extent = this.#taken.reduce((sum, taken) => sum + taken.extent, 0);
    return events > 0 && extent > 0 ? extent / events : undefined;
  }

  #forgetOld(now: number): void {
    this.#taken = this.#taken.filter(({ at }) => now - at <= span);
  }
}
