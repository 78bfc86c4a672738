import { tryDecode } from './codec.ts';
import type { EventLog, RecordedEvent, StreamName } from './log.ts';

/** The stream of decisions to skip events; the only stream of its category. */
export const skipStream = 'skip' as StreamName;

/** Identifies an event permanently, in a copy of the log too. */
type EventKey = Pick<RecordedEvent, 'stream' | 'id'>;

/**
 * The events that an operator has decided to skip, as far as this process has read. Folds and projections treat
 * them as if they had never happened; their revisions and positions are not used again.
 */
export class Skips {
  readonly #log: Pick<EventLog, 'readStream'>;
  readonly #reasons = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  #revision = -1;

  constructor(log: Pick<EventLog, 'readStream'>) {
    this.#log = log;
  }

  /** Reads the decisions made since the last call. @throws LogFailure */
  async refresh(): Promise<void> {
    for await (const record of this.#log.readStream(skipStream, { from: this.#revision + 1 })) {
      this.apply(record);
    }
  }

  /**
   * Applies any record of the log. @returns the event that it decides to skip; undefined for other
   * records, and for a decision that this program cannot read
   */
  apply(record: RecordedEvent): EventKey | undefined {
    if (record.stream !== skipStream) return undefined;
    this.#revision = Math.max(this.#revision, record.revision);
    const event = tryDecode(record);
    if (!('type' in event) || event.type !== 'EventSkipped') return undefined;
    const { stream, eventId, why } = event.data;
    const key = keyOf(stream, eventId);
    if (!this.#reasons.has(key)) this.#counts.set(stream, this.countOf(stream) + 1);
    this.#reasons.set(key, why);
    // They were written from a record of the log.
    return { stream: stream as StreamName, id: eventId as RecordedEvent['id'] };
  }

  has({ stream, id }: EventKey): boolean {
    // As a rule there are none, and this is asked for every event.
    return this.#reasons.size > 0 && this.#reasons.has(keyOf(stream, id));
  }

  /** The number of skipped events of a stream. */
  countOf(stream: string): number {
    return this.#counts.get(stream) ?? 0;
  }

  /** Why the event is skipped; undefined if it is not. */
  reason({ stream, id }: EventKey): string | undefined {
    return this.#reasons.size === 0 ? undefined : this.#reasons.get(keyOf(stream, id));
  }
}

function keyOf(stream: string, id: string): string {
  return `${id} ${stream}`;
}
