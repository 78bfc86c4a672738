import { LRUCache } from 'lru-cache';
import type { EventId, Position, RecordedEvent, StreamName } from '../log.ts';

/** Where an id is known to stand; the position is left out where the server did not tell it. */
export interface Standing {
  readonly revision: number;
  readonly position?: Position;
}

/**
 * Ids that this process has lately appended or read, and where they stand. The server compares ids
 * with an explicit expected revision only at the places that follow it, so that an id which stands
 * before would be stored again.
 */
export class KnownIds {
  readonly #standings = new LRUCache<string, Standing>({ max: 20_000 });

  /** Where the id stands in the stream, if that is known. */
  get(stream: StreamName, id: EventId): Standing | undefined {
    return this.#standings.get(keyOf(stream, id));
  }

  remember(stream: StreamName, id: EventId, standing: Standing): void {
    this.#standings.set(keyOf(stream, id), standing);
  }

  clear(): void {
    this.#standings.clear();
  }

  rememberRecord(record: RecordedEvent): void {
    this.remember(record.stream, record.id, { revision: record.revision, position: record.position });
  }
}

/** One key for an id of a stream. */
export function keyOf(stream: StreamName, id: EventId): string {
  return `${id.toLowerCase()} ${stream}`;
}
