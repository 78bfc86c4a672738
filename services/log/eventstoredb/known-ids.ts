import { LRUCache } from 'lru-cache';
import type { EventId, Position, RecordedEvent, StreamName } from '../log.ts';

/** Where an event is known to be stored; the server does not return the position of every event. */
export interface KnownEvent {
  readonly revision: number;
  readonly position?: Position;
}

/**
 * The ids that this process has appended or read last, with where they are stored. With an explicit expected
 * revision the server compares ids only after that revision, so it would store an earlier id a second time.
 */
export class KnownIds {
  readonly #known = new LRUCache<string, KnownEvent>({ max: 20_000 });

  get(stream: StreamName, id: EventId): KnownEvent | undefined {
    return this.#known.get(keyOf(stream, id));
  }

  remember(stream: StreamName, id: EventId, event: KnownEvent): void {
    this.#known.set(keyOf(stream, id), event);
  }

  clear(): void {
    this.#known.clear();
  }

  rememberRecord(record: RecordedEvent): void {
    this.remember(record.stream, record.id, { revision: record.revision, position: record.position });
  }
}

/** One key for an id in a stream. */
export function keyOf(stream: StreamName, id: EventId): string {
  return `${id.toLowerCase()} ${stream}`;
}
