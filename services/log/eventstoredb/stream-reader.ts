import pLimit from 'p-limit';
import {
  type EventId,
  type Position,
  type ReadStreamOptions,
  type RecordedEvent,
  type StreamName,
  startOfLog,
} from '../log.ts';
import type { Page, PageStart } from '../merged-pages.ts';
import type { EventStoreDBConnection } from './connection.ts';
import { isOfLog, type StoredEvent, storedEventOf } from './event.ts';
import { positionOf, type StoredPosition } from './position.ts';
import { logRequest, streamRequest } from './read-request.ts';
import { readWithTimeout } from './read-with-timeout.ts';

/** Bounds of a search for an event id: the number of events, and the position to stop at. */
export interface SearchBounds {
  readonly maxEvents?: number;
  readonly after?: Position;
}

/** How many bytes the pages that are read together have at most. */
const maxPagesBytes = 4_000_000;

/** How many streams are read at once: more are not faster, and hold up the appends. */
const maxStreamsAtOnce = 16;

/** Events in the first page of a search, which usually contains the event. Each next page is four times as large. */
const firstPageEvents = 16;

/** Reads from the cluster's leader, so that every read sees the appends before it. */
export class StreamReader {
  readonly #connection: EventStoreDBConnection;
  readonly #timeoutMs: number;
  readonly #limit = pLimit(maxStreamsAtOnce);
  /** By prefixes: the last event of such streams, and the position up to which that is known. */
  readonly #ends = new Map<string, { readonly end: Position; readonly upTo: Position }>();

  /** @param timeoutMs after how long a read that returns nothing fails */
  constructor(connection: EventStoreDBConnection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  /** A stream's events; none if there is no such stream. @throws LogFailure */
  async *read(stream: StreamName, options: ReadStreamOptions = {}): AsyncGenerator<StoredEvent> {
    const { direction, from, limit } = options;
    if (limit !== undefined && limit <= 0) return;
    if (direction === 'backwards' && from !== undefined && from < 0) return;
    const request = streamRequest(stream, options);
    for await (const message of readWithTimeout(this.#connection, request, this.#timeoutMs)) {
      const stored = storedEventOf(message);
      if (stored) yield stored;
    }
  }

  /**
   * A page of each stream, in the order asked.
   * @param limit how many events each of them has at most
   * @throws LogFailure
   */
  pages(starts: readonly PageStart[], direction: 'forwards' | 'backwards', limit: number): Promise<Page[]> {
    const maxBytes = maxPagesBytes / starts.length;
    return this.#limit.map(starts, async ({ stream, from }) => {
      const records: RecordedEvent[] = [];
      let bytes = 0;
      const options = { direction, limit, ...(from === undefined ? {} : { from }) };
      for await (const { record } of this.read(stream, options)) {
        records.push(record);
        bytes += record.raw.data.length + record.raw.metadata.length;
        if (bytes > maxBytes) return { records, more: true, bytes };
      }
      return { records, more: records.length === limit, bytes };
    });
  }

  /**
   * The position of the last event of streams whose names begin with one of the prefixes, by default of all but
   * the store's own. It reads backwards from the end, each event of other streams only once.
   * @throws LogFailure
   */
  async end(prefixes: readonly string[] = ['']): Promise<Position> {
    const key = prefixes.join(' ');
    const known = this.#ends.get(key) ?? { end: startOfLog, upTo: startOfLog };
    let upTo: Position | undefined;
    let end = known.end;
    for await (const message of readWithTimeout(this.#connection, logRequest('backwards'), this.#timeoutMs)) {
      if (!isOfLog(message)) continue;
      const { stream, position } = message;
      upTo ??= position;
      if (position <= known.upTo) break;
      if (prefixes.some((prefix) => stream.startsWith(prefix))) {
        end = position;
        break;
      }
    }
    const later = this.#ends.get(key);
    if (upTo !== undefined && (later === undefined || upTo > later.upTo)) this.#ends.set(key, { end, upTo });
    return end;
  }

  /** The log has changed: what was known of its end is wrong. */
  reset(): void {
    this.#ends.clear();
  }

  /** The event at a position of the whole log. @throws LogFailure */
  async atPosition(position: StoredPosition): Promise<RecordedEvent | undefined> {
    // The server answers a read from beyond the end with an error that does not say so.
    if ((await this.end()) < positionOf(position)) return undefined;
    const request = logRequest('forwards', 1, position);
    for await (const message of readWithTimeout(this.#connection, request, this.#timeoutMs)) {
      if (message.position === positionOf(position)) return storedEventOf(message)?.record;
    }
    return undefined;
  }

  /** The last revision of a stream. @throws LogFailure */
  async lastRevision(stream: StreamName): Promise<number | 'none'> {
    for await (const { record } of this.read(stream, { direction: 'backwards', limit: 1 }))
      return record.revision;
    return 'none';
  }

  /** The first revision that the store gives of a stream; undefined if it gives none. @throws LogFailure */
  async firstRevision(stream: StreamName): Promise<number | undefined> {
    for await (const { record } of this.read(stream, { limit: 1 })) return record.revision;
    return undefined;
  }

  /** The event of a stream at a revision. @throws LogFailure */
  async at(stream: StreamName, revision: number): Promise<StoredEvent | undefined> {
    for await (const stored of this.read(stream, { from: revision, limit: 1 })) return stored;
    return undefined;
  }

  /** Searches a stream for an id, backwards from its end. @throws LogFailure */
  async find(stream: StreamName, id: EventId, bounds: SearchBounds = {}): Promise<StoredEvent | undefined> {
    const { after = startOfLog, maxEvents = Number.POSITIVE_INFINITY } = bounds;
    const wanted = id.toLowerCase();
    let from: number | undefined;
    for (let limit = firstPageEvents, searched = 0; searched < maxEvents; limit *= 4) {
      let count = 0;
      const page = { direction: 'backwards', limit, ...(from === undefined ? {} : { from }) } as const;
      for await (const stored of this.read(stream, page)) {
        if (stored.record.position <= after) return undefined;
        if (stored.record.id === wanted) return stored;
        from = stored.record.revision - 1;
        count++;
      }
      if (count < limit) return undefined;
      searched += count;
    }
    return undefined;
  }
}
