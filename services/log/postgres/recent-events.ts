import type { RecordedEvent } from '../log.ts';

/** Bounds of what is kept of the events that this process appended last. */
const maxKeptEvents = 4_096;
const maxKeptBytes = 32_000_000;

/** The most events that `after` returns. */
const maxReturnedEvents = 500;

/** One committed batch: `records` are consecutive in the log, with the event numbers `from` to `to`. */
interface Segment {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  readonly records: readonly RecordedEvent[];
}

/**
 * The end of the log as this process knows it, and the last records that it appended itself. Subscribers near
 * the end get these without a query, and all get the same objects, which are thus decoded once.
 */
export class RecentEvents {
  /** The greatest event number known to be used. */
  end = 0;
  #segments: Segment[] = [];
  #keptEvents = 0;
  #keptBytes = 0;
  #changed = Promise.withResolvers<void>();

  /** Adds the records of a batch just committed, which begin at event number `from`. */
  append(records: readonly RecordedEvent[], from: number, bytes: number): void {
    const to = from + records.length - 1;
    // Another process wrote in between: subscribers that are behind read from the server.
    if (this.#segments.at(-1)?.to !== from - 1) this.clear();
    this.#segments.push({ from, to, bytes, records });
    this.#keptEvents += records.length;
    this.#keptBytes += bytes;
    while (
      this.#segments.length > 1 &&
      (this.#keptEvents > maxKeptEvents || this.#keptBytes > maxKeptBytes)
    ) {
      const oldest = this.#segments.shift();
      this.#keptEvents -= oldest?.records.length ?? 0;
      this.#keptBytes -= oldest?.bytes ?? 0;
    }
    this.reached(to);
  }

  /** Frees the records; `end` stays. */
  clear(): void {
    this.#segments = [];
    this.#keptEvents = 0;
    this.#keptBytes = 0;
  }

  /** The log has changed: nothing is known of it. */
  reset(): void {
    this.clear();
    this.end = 0;
    this.wake();
  }

  /** Notes that the log reaches at least to this event number. */
  reached(eventNumber: number): void {
    if (eventNumber <= this.end) return;
    this.end = eventNumber;
    this.wake();
  }

  /** Up to 500 records after this event number; undefined if the next one is not kept. */
  after(eventNumber: number): readonly RecordedEvent[] | undefined {
    const first = this.#segments[0];
    const last = this.#segments.at(-1);
    if (!first || !last || eventNumber < first.from - 1 || eventNumber >= last.to) return undefined;
    let index = this.#segments.length - 1;
    while (index > 0 && (this.#segments[index]?.from ?? 0) > eventNumber + 1) index--;
    const records: RecordedEvent[] = [];
    for (; index < this.#segments.length && records.length < maxReturnedEvents; index++) {
      const segment = this.#segments[index];
      if (segment) records.push(...segment.records.slice(Math.max(eventNumber + 1 - segment.from, 0)));
    }
    return records.length > maxReturnedEvents ? records.slice(0, maxReturnedEvents) : records;
  }

  /** Resolves when `end` grows, or `wake` is called. */
  changed(): Promise<void> {
    return this.#changed.promise;
  }

  wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Whether a subscriber with these prefixes gets a record. */
export function selector(prefixes: readonly string[] | undefined): (record: RecordedEvent) => boolean {
  if (!prefixes) return () => true;
  return ({ stream }) => prefixes.some((prefix) => stream.startsWith(prefix));
}
