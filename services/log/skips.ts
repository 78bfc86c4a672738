import { tryDecode } from './codec.ts';
import type { EventLog, RecordedEvent, StreamName } from './log.ts';

/** The stream of decisions that events are passed over; the only stream of its category. */
export const skipStream = 'skip' as StreamName;

/** What names an event for ever, in a copy of the log too. */
type Named = Pick<RecordedEvent, 'stream' | 'id'>;

/**
 * The events that an operator has decided to pass over, as far as this process has read. Folds and
 * projections treat them as if they had never happened; their revisions and positions stay taken.
 */
export class Skips {
  readonly #log: Pick<EventLog, 'readStream'>;
  readonly #reasons = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  #revision = -1;

  constructor(log: Pick<EventLog, 'readStream'>) {
    this.#log = log;
  }

  /** Reads what was decided since the last time. @throws LogFailure */
  async refresh(): Promise<void> {
    for await (const record of this.#log.readStream(skipStream, { from: this.#revision + 1 })) {
      this.take(record);
    }
  }

  /**
   * Takes in any record of the log. Answers the event that it decides to pass over; undefined for other
   * records, and for a decision that this program cannot read.
   */
  take(record: RecordedEvent): Named | undefined {
    if (record.stream !== skipStream) return undefined;
    this.#revision = Math.max(this.#revision, record.revision);
    const event = tryDecode(record);
    if (!('type' in event) || event.type !== 'EventSkipped') return undefined;
    const { stream, eventId, why } = event.data;
    const key = keyOf(stream, eventId);
    if (!this.#reasons.has(key)) this.#counts.set(stream, this.countOf(stream) + 1);
    this.#reasons.set(key, why);
    // Written from a record of the log.
    return { stream: stream as StreamName, id: eventId as RecordedEvent['id'] };
  }

  /** Whether the event is passed over. */
  has({ stream, id }: Named): boolean {
    return this.#reasons.has(keyOf(stream, id));
  }

  /** How many events of a stream are passed over. */
  countOf(stream: string): number {
    return this.#counts.get(stream) ?? 0;
  }

  /** Why the event is passed over; undefined if it is not. */
  reason({ stream, id }: Named): string | undefined {
    return this.#reasons.get(keyOf(stream, id));
  }
}

function keyOf(stream: string, id: string): string {
  return `${id} ${stream}`;
}
