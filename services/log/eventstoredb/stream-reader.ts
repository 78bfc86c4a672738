import pLimit from 'p-limit';
import {
  type EventId,
  type EventPlace,
  type Position,
  type ReadStreamOptions,
  type RecordedEvent,
  type StreamName,
  startOfLog,
} from '../log.ts';
import type { Page, PageStart } from '../merged-pages.ts';
import type { EventStoreDBConnection } from './connection.ts';
import { isOfLog, type StoredEvent, storedEventOf } from './event.ts';
import { nearbyPlaces } from './nearby-places.ts';
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

/** How many events from the end on are mostly enough to find the last one of the log. */
const endEvents = 8;

/** Events in the first page of a search, which usually contains the event. Each next page is four times as large. */
const firstPageEvents = 16;

/** Reads from the cluster's leader, so that every read sees the appends before it. */
export class StreamReader {
  readonly #connection: EventStoreDBConnection;
  readonly #timeoutMs: number;
  readonly #limit = pLimit(maxStreamsAtOnce);
  /** By prefixes: the last event of such streams, and the position up to which that is known. */
  readonly #ends = new Map<string, { readonly end: Position; readonly upTo: Position }>();
  /** The log reached at least to this position. */
  #reaches: Position = startOfLog;

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
   * The event at each place, in the order asked; undefined where the log has none. One call reads those of a stream that are
   * close together.
   * @throws LogFailure
   */
  async places(places: readonly EventPlace[]): Promise<(RecordedEvent | undefined)[]> {
    const found = new Map<StreamName, Map<number, RecordedEvent | undefined>>();
    for (const { stream, revision } of places) {
      const wanted = found.get(stream) ?? new Map<number, RecordedEvent | undefined>();
      found.set(stream, wanted.set(revision, undefined));
    }
    await this.#limit.map(nearbyPlaces(places), async ({ stream, first, last }) => {
      const wanted = found.get(stream);
      const request = streamRequest(stream, { from: first, limit: last - first + 1 });
      for await (const message of readWithTimeout(this.#connection, request, this.#timeoutMs)) {
        // What lies between is not made into records.
        if (wanted?.has(message.revision)) wanted.set(message.revision, storedEventOf(message)?.record);
      }
    });
    return places.map(({ stream, revision }) => found.get(stream)?.get(revision));
  }

  /**
   * The position of the last event of streams whose names begin with one of the prefixes, by default of all but
   * the store's own. It reads backwards from the end, each event of other streams only once.
   * @throws LogFailure
   */
  async end(prefixes: readonly string[] = ['']): Promise<Position> {
    return (await this.#endWithin(prefixes, endEvents)) ?? (await this.#endWithin(prefixes)) ?? startOfLog;
  }

  /** @param limit how many events are read at most; undefined is returned if these do not tell */
  async #endWithin(prefixes: readonly string[], limit?: number): Promise<Position | undefined> {
    const key = prefixes.join(' ');
    const known = this.#ends.get(key) ?? { end: startOfLog, upTo: startOfLog };
    let upTo: Position | undefined;
    let end: Position | undefined;
    let count = 0;
    const request = logRequest('backwards', limit);
    for await (const message of readWithTimeout(this.#connection, request, this.#timeoutMs)) {
      count++;
      if (end !== undefined || !isOfLog(message)) continue;
      const { stream, position } = message;
      upTo ??= position;
      if (position <= known.upTo) end = known.end;
      else if (prefixes.some((prefix) => stream.startsWith(prefix))) end = position;
      // A call that reads a few events ends by itself, which takes the server less than to be cancelled.
      if (end !== undefined && limit === undefined) break;
    }
    if (end === undefined && count === limit) return undefined;
    end ??= known.end;
    const later = this.#ends.get(key);
    if (upTo !== undefined && (later === undefined || upTo > later.upTo)) {
      this.#ends.set(key, { end, upTo });
      if (upTo > this.#reaches) this.#reaches = upTo;
    }
    return end;
  }

  /** The log has changed: what was known of its end is wrong. */
  reset(): void {
    this.#ends.clear();
    this.#reaches = startOfLog;
  }

  /** The event at a position of the whole log. @throws LogFailure */
  async atPosition(stored: StoredPosition): Promise<RecordedEvent | undefined> {
    const position = positionOf(stored);
    // The server answers a read from beyond the end with an error that does not say so.
    if (this.#reaches < position && (await this.end()) < position) return undefined;
    let found: RecordedEvent | undefined;
    const request = logRequest('forwards', 1, stored);
    for await (const message of readWithTimeout(this.#connection, request, this.#timeoutMs)) {
      if (message.position === position) found = storedEventOf(message)?.record;
    }
    return found;
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
