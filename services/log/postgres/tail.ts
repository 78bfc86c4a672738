import type { RecordedEvent } from '../log.ts';

/** How much of what this process appended last is kept at hand. */
const maxKeptEvents = 4_096;
const maxKeptBytes = 32_000_000;

/** How many are handed over at once. */
const maxTaken = 500;

/** One batch as it was committed: its records lie one after the other in the log. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  readonly records: readonly RecordedEvent[];
}

/**
 * The end of the log as this process knows it, with the last records that it appended itself: who
 * follows closely gets these without asking the server, and all get the same objects.
 */
export class Tail {
  /** The greatest place known to be taken. */
  end = 0;
  #kept: Stretch[] = [];
  #keptEvents = 0;
  #keptBytes = 0;
  #changed = Promise.withResolvers<void>();

  /** The records of a batch just committed, and how much memory they take. */
  append(records: readonly RecordedEvent[], from: number, bytes: number): void {
    const to = from + records.length - 1;
    // Another process wrote in between: whoever is before that reads it from the server.
    if (this.#kept.at(-1)?.to !== from - 1) this.forget();
    this.#kept.push({ from, to, bytes, records });
    this.#keptEvents += records.length;
    this.#keptBytes += bytes;
    while (this.#kept.length > 1 && (this.#keptEvents > maxKeptEvents || this.#keptBytes > maxKeptBytes)) {
      const oldest = this.#kept.shift();
      this.#keptEvents -= oldest?.records.length ?? 0;
      this.#keptBytes -= oldest?.bytes ?? 0;
    }
    this.reached(to);
  }

  /** Lets go of the records. */
  forget(): void {
    this.#kept = [];
    this.#keptEvents = 0;
    this.#keptBytes = 0;
  }

  /** The log is another one: nothing is known of it. */
  reset(): void {
    this.forget();
    this.end = 0;
    this.wake();
  }

  /** Tells that the log reaches as far as this. */
  reached(place: number): void {
    if (place <= this.end) return;
    this.end = place;
    this.wake();
  }

  /** What follows on a place, as far as it is at hand; undefined where it is not. */
  after(place: number): readonly RecordedEvent[] | undefined {
    const first = this.#kept[0];
    const last = this.#kept.at(-1);
    if (!first || !last || place < first.from - 1 || place >= last.to) return undefined;
    let index = this.#kept.length - 1;
    while (index > 0 && (this.#kept[index]?.from ?? 0) > place + 1) index--;
    const taken: RecordedEvent[] = [];
    for (; index < this.#kept.length && taken.length < maxTaken; index++) {
      const stretch = this.#kept[index];
      if (stretch) taken.push(...stretch.records.slice(Math.max(place + 1 - stretch.from, 0)));
    }
    return taken.length > maxTaken ? taken.slice(0, maxTaken) : taken;
  }

  /** Settles at the next news. */
  changed(): Promise<void> {
    return this.#changed.promise;
  }

  wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Which records a follower wants. */
export function selector(prefixes: readonly string[] | undefined): (record: RecordedEvent) => boolean {
  if (!prefixes) return () => true;
  return ({ stream }) => prefixes.some((prefix) => stream.startsWith(prefix));
}
