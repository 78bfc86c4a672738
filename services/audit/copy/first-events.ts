import type { EventLog, RecordedEvent } from '../../log/log.ts';
import { type FalseRepeat, falseRepeats, type Repeat } from '../index/repeats.ts';
import { SeenIds } from '../index/seen-ids.ts';

/** How many of the events that were left out are looked at again, to tell which are not the first one once more. */
const maxKept = 10_000;

/**
 * The events of a log of which each is the first of its id in its stream. The tree over the log and its signed heads are of
 * these, so that a copy of them is proven. For each of them `SeenIds` takes up to 43 bytes, unless the log never holds an id twice.
 */
export class FirstEvents {
  readonly #log: EventLog;
  readonly #kept: Repeat[] = [];
  #leftOut = 0;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** How many events were left out. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** @param records events of the log from its beginning; to be called once @throws what `records` throw */
  async *of(records: AsyncIterable<RecordedEvent>): AsyncGenerator<RecordedEvent, void, undefined> {
    if (this.#log.remembersIds === 'forever') return yield* records;
    const seen = new SeenIds();
    for await (const record of records) {
      const first = seen.add(record);
      if (first === undefined) yield record;
      else this.#leaveOut(record, first);
    }
  }

  /** Those that were left out and are not the first event of their id once more (`falseRepeats`). @throws LogFailure */
  falseRepeats(): AsyncGenerator<FalseRepeat, void, undefined> {
    return falseRepeats(this.#log, this.#kept);
  }

  #leaveOut({ id, stream, revision }: RecordedEvent, first: number): void {
    this.#leftOut++;
    if (this.#kept.length < maxKept) this.#kept.push({ event: { id, stream, revision }, first });
  }
}
