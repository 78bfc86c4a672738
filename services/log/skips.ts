import { tryDecode } from './codec.ts';
import type { EventLog, RecordedEvent, StreamName } from './log.ts';

/** The stream of decisions to skip events; the only stream of its category. */
export const skipStream = 'skip' as StreamName;

/** Identifies an event permanently, in a copy of the log too. A stream of EventStoreDB may have an id twice. */
export type EventKey = Pick<RecordedEvent, 'stream' | 'id' | 'revision'>;

/** A decision to skip the event of an id at a revision. */
interface Decision {
  readonly revision: number;
  readonly why: string;
}

/**
 * The events that an operator has decided to skip, as far as this process has read. Folds and projections treat
 * them as if they had never happened; their revisions and positions are not used again. Events that their stream has
 * later under the id of a skipped one are skipped with it, since the first event of an id counts; those before it are not.
 */
export class Skips {
  readonly #log: Pick<EventLog, 'readStream'>;
  /** The decisions about each id of a stream, by falling revision. */
  readonly #decisions = new Map<string, readonly Decision[]>();
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
    const { stream, eventId, revision, why } = event.data;
    const key = keyOf(stream, eventId);
    const before = this.#decisions.get(key) ?? [];
    const others = before.filter((decision) => decision.revision !== revision);
    if (others.length === before.length) this.#counts.set(stream, this.countOf(stream) + 1);
    const decisions = [...others, { revision, why }].sort((one, other) => other.revision - one.revision);
    this.#decisions.set(key, decisions);
    // They were written from a record of the log.
    return { stream: stream as StreamName, id: eventId as RecordedEvent['id'], revision };
  }

  has(event: EventKey): boolean {
    return this.reason(event) !== undefined;
  }

  /** The number of decisions about events of a stream. */
  countOf(stream: string): number {
    return this.#counts.get(stream) ?? 0;
  }

  /** Why the event is skipped; undefined if it is not. */
  reason({ stream, id, revision }: EventKey): string | undefined {
    // As a rule there are none, and this is asked for every event.
    if (this.#decisions.size === 0) return undefined;
    return this.#decisions.get(keyOf(stream, id))?.find((decision) => decision.revision <= revision)?.why;
  }
}

function keyOf(stream: string, id: string): string {
  return `${id} ${stream}`;
}
