import { BACKWARDS, END, FORWARDS, START } from '@eventstore/db-client';
import type { EventStoreDBConnection } from './eventstoredb-connection.ts';
import { recordOf } from './eventstoredb-event.ts';
import { storedPositionOf } from './eventstoredb-position.ts';
import { readPatiently } from './eventstoredb-reading.ts';
import {
  type EventId,
  type Position,
  type ReadAllOptions,
  type ReadStreamOptions,
  type RecordedEvent,
  type StreamName,
  startOfLog,
} from './log.ts';

/** Reads of the leader, so that what was appended is seen by the next read. */
export class StoredStreams {
  readonly #connection: EventStoreDBConnection;
  readonly #milliseconds: number;

  /** A read that gives nothing for so many milliseconds fails. */
  constructor(connection: EventStoreDBConnection, milliseconds: number) {
    this.#connection = connection;
    this.#milliseconds = milliseconds;
  }

  /** A stream's events; nothing where there is no such stream. @throws LogFailure */
  async *read(stream: StreamName, options: ReadStreamOptions = {}): AsyncGenerator<RecordedEvent> {
    const { direction = 'forwards', from, limit } = options;
    if (limit !== undefined && limit <= 0) return;
    if (from !== undefined && from < 0) {
      if (direction === 'backwards') return;
    }
    const read = this.#connection.readStream(stream, {
      direction: direction === 'forwards' ? FORWARDS : BACKWARDS,
      fromRevision: from === undefined ? (direction === 'forwards' ? START : END) : BigInt(Math.max(0, from)),
      requiresLeader: true,
      ...(limit === undefined ? {} : { maxCount: limit }),
    });
    for await (const resolved of readPatiently(read, this.#milliseconds)) {
      const record = recordOf(resolved);
      if (record) yield record;
    }
  }

  /** The log's events after a position, up to what is its end at the call. @throws LogFailure */
  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<RecordedEvent> {
    const { after = startOfLog, prefixes, limit = Number.POSITIVE_INFINITY } = options;
    const from = storedPositionOf(after);
    const end = await this.end();
    if (end <= after || limit <= 0) return;
    const read = this.#connection.readAll({ fromPosition: from ?? START, requiresLeader: true });
    let given = 0;
    for await (const resolved of readPatiently(read, this.#milliseconds)) {
      const record = recordOf(resolved);
      if (record === undefined || record.position <= after) continue;
      if (record.position > end) return;
      if (prefixes === undefined || prefixes.some((prefix) => record.stream.startsWith(prefix))) {
        yield record;
        given++;
      }
      if (given >= limit || record.position === end) return;
    }
  }

  /** The position of the last event of any stream but the store's own. @throws LogFailure */
  async end(): Promise<Position> {
    const read = this.#connection.readAll({ direction: BACKWARDS, fromPosition: END, requiresLeader: true });
    for await (const resolved of readPatiently(read, this.#milliseconds)) {
      const record = recordOf(resolved);
      if (record) return record.position;
    }
    return startOfLog;
  }

  /** The last revision of a stream. @throws LogFailure */
  async lastRevision(stream: StreamName): Promise<number | 'none'> {
    for await (const record of this.read(stream, { direction: 'backwards', limit: 1 }))
      return record.revision;
    return 'none';
  }

  /** The event of a stream at a revision. @throws LogFailure */
  async at(stream: StreamName, revision: number): Promise<RecordedEvent | undefined> {
    for await (const record of this.read(stream, { from: revision, limit: 1 })) return record;
    return undefined;
  }

  /**
   * Looks for an id from the end of a stream backwards, past at most so many events, and no further
   * back than a position. @throws LogFailure
   */
  async find(
    stream: StreamName,
    id: EventId,
    bounds: { readonly after?: Position; readonly most?: number } = {},
  ): Promise<RecordedEvent | undefined> {
    const { after = startOfLog, most } = bounds;
    const wanted = id.toLowerCase();
    const backwards = { direction: 'backwards', ...(most === undefined ? {} : { limit: most }) } as const;
    for await (const record of this.read(stream, backwards)) {
      if (record.position <= after) return undefined;
      if (record.id.toLowerCase() === wanted) return record;
    }
    return undefined;
  }
}
