import { BACKWARDS, END, FORWARDS, START } from '@eventstore/db-client';
import {
  type EventId,
  type Position,
  type ReadStreamOptions,
  type RecordedEvent,
  type StreamName,
  startOfLog,
} from '../log.ts';
import type { EventStoreDBConnection } from './connection.ts';
import { markOf, recordOf } from './event.ts';
import { positionOf, type StoredPosition } from './position.ts';
import { readPatiently } from './reading.ts';
import { keepBytes } from './stored-bytes.ts';

/** A record, and which call of `append` stored it. */
export interface Stored {
  readonly record: RecordedEvent;
  readonly mark: string | undefined;
}

/** How far an id is looked for: past about so many events, and not up to a position. */
export interface Bounds {
  readonly most?: number;
  readonly after?: Position;
}

/** What is looked for stands mostly near the end. */
const firstPage = 16;

/** Reads of the leader, so that what was appended is seen by the next read. */
export class StoredStreams {
  readonly #connection: EventStoreDBConnection;
  readonly #milliseconds: number;
  /** By prefixes: the last event of such streams, and up to where in the log that is known. */
  readonly #ends = new Map<string, { readonly end: Position; readonly upTo: Position }>();

  /** A read that gives nothing for so many milliseconds fails. */
  constructor(connection: EventStoreDBConnection, milliseconds: number) {
    this.#connection = connection;
    this.#milliseconds = milliseconds;
  }

  /** A stream's events; nothing where there is no such stream. @throws LogFailure */
  async *read(stream: StreamName, options: ReadStreamOptions = {}): AsyncGenerator<Stored> {
    const { direction = 'forwards', from, limit } = options;
    if (limit !== undefined && limit <= 0) return;
    if (direction === 'backwards' && from !== undefined && from < 0) return;
    const read = this.#connection.readStream(stream, {
      direction: direction === 'forwards' ? FORWARDS : BACKWARDS,
      fromRevision: from === undefined ? (direction === 'forwards' ? START : END) : BigInt(Math.max(0, from)),
      requiresLeader: true,
      ...(limit === undefined ? {} : { maxCount: limit }),
    });
    for await (const resolved of readPatiently(keepBytes(read), this.#milliseconds)) {
      const record = recordOf(resolved);
      if (record) yield { record, mark: markOf(resolved) };
    }
  }

  /**
   * The position of the last event of any stream but the store's own or, with prefixes, of streams whose
   * names begin so. What others wrote behind it is looked through once.
   * @throws LogFailure
   */
  async end(prefixes: readonly string[] = ['']): Promise<Position> {
    const key = prefixes.join(' ');
    const known = this.#ends.get(key) ?? { end: startOfLog, upTo: startOfLog };
    const read = this.#connection.readAll({ direction: BACKWARDS, fromPosition: END, requiresLeader: true });
    let upTo: Position | undefined;
    let end = known.end;
    for await (const resolved of readPatiently(keepBytes(read), this.#milliseconds)) {
      const record = recordOf(resolved);
      if (record === undefined) continue;
      upTo ??= record.position;
      const { stream, position } = record;
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

  /** The log is another one: what was known of its end says nothing. */
  forget(): void {
    this.#ends.clear();
  }

  /** The event at a position of the whole log. @throws LogFailure */
  async atPosition(position: StoredPosition): Promise<RecordedEvent | undefined> {
    // The server answers a read from beyond the end with an error that says nothing.
    if ((await this.end()) < positionOf(position)) return undefined;
    const read = this.#connection.readAll({
      direction: FORWARDS,
      fromPosition: position,
      maxCount: 1,
      requiresLeader: true,
    });
    for await (const resolved of readPatiently(keepBytes(read), this.#milliseconds)) {
      const record = recordOf(resolved);
      if (record?.position === positionOf(position)) return record;
    }
    return undefined;
  }

  /** The last revision of a stream. @throws LogFailure */
  async lastRevision(stream: StreamName): Promise<number | 'none'> {
    for await (const { record } of this.read(stream, { direction: 'backwards', limit: 1 }))
      return record.revision;
    return 'none';
  }

  /** The event of a stream at a revision. @throws LogFailure */
  async at(stream: StreamName, revision: number): Promise<Stored | undefined> {
    for await (const stored of this.read(stream, { from: revision, limit: 1 })) return stored;
    return undefined;
  }

  /** Looks for an id in a stream backwards, within bounds, in pages that grow. @throws LogFailure */
  async find(stream: StreamName, id: EventId, bounds: Bounds = {}): Promise<Stored | undefined> {
    const { after = startOfLog, most = Number.POSITIVE_INFINITY } = bounds;
    const wanted = id.toLowerCase();
    let from: number | undefined;
    for (let limit = firstPage, looked = 0; looked < most; limit *= 4) {
      let given = 0;
      const page = { direction: 'backwards', limit, ...(from === undefined ? {} : { from }) } as const;
      for await (const stored of this.read(stream, page)) {
        if (stored.record.position <= after) return undefined;
        if (stored.record.id === wanted) return stored;
        from = stored.record.revision - 1;
        given++;
      }
      if (given < limit) return undefined;
      looked += given;
    }
    return undefined;
  }
}
