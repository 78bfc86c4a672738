/** The pace is that of the last ten seconds. */
const spanSeconds = 10;

/** What was applied within one second. */
interface Second {
  readonly second: number;
  events: number;
  /** How much of the log that was, in the log's own measure. */
  extent: number;
}

/** How fast events are applied, and how much of the log one takes up, over the last seconds. */
export class Pace {
  readonly #now: () => number;
  /** One entry for each second in which something was applied: a batch of one event comes thousands of times a second. */
  #seconds: Second[] = [];

  /** `now` is in milliseconds on a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  applied(events: number, extent: number): void {
    const second = Math.floor(this.#now() / 1_000);
    const last = this.#seconds.at(-1);
    if (last?.second === second) {
      last.events += events;
      last.extent += extent;
      return;
    }
    this.#seconds = [...this.#latest(), { second, events, extent }];
  }

  /** Events a second. */
  get perSecond(): number {
    const latest = this.#latest();
    const [first] = latest;
    if (first === undefined) return 0;
    const seconds = Math.max(1, this.#now() / 1_000 - first.second);
    return latest.reduce((sum, { events }) => sum + events, 0) / seconds;
  }

  /** How much of the log one event takes up; undefined if none was applied lately. */
  get extentOfEvent(): number | undefined {
    const latest = this.#latest();
    const events = latest.reduce((sum, second) => sum + second.events, 0);
    const extent = latest.reduce((sum, second) => sum + second.extent, 0);
    return events > 0 && extent > 0 ? extent / events : undefined;
  }

  #latest(): Second[] {
    const oldest = this.#now() / 1_000 - spanSeconds;
    return this.#seconds.filter(({ second }) => second >= oldest);
  }
}
