import {
  type AppendResult,
  type ExpectedRevision,
  LogFailure,
  type NewEvent,
  type Position,
  type StreamName,
} from '../log.ts';
import type { AppendOrigins } from './append-origins.ts';
import type { AppendResponse } from './append-response.ts';
import type { StoredEvent } from './event.ts';
import type { KnownEnd } from './known-end.ts';
import type { KnownEvent, KnownIds } from './known-ids.ts';
import type { StreamReader } from './stream-reader.ts';

/** One call of `append` that is being sent. */
export interface AppendInProgress {
  readonly stream: StreamName;
  readonly expected: ExpectedRevision;
  readonly events: readonly [NewEvent, ...NewEvent[]];
  /** Of stream and first event id; see `keyOf`. */
  readonly key: string;
  /** Distinguishes this call from others that append the same events. */
  readonly origin: string;
  /** The log reached at least to this position before the id was first sent. */
  readonly since: Position;
  /** Whether another call may have stored the same events after `since`. */
  readonly contested: boolean;
  readonly isCurrent: (() => boolean) | undefined;
}

/** How many events are searched for the first id after a conflict. */
const maxSearchedEvents = 4096;

/**
 * Turns responses into results. The server answers alike to events that it stores now and to events that it has
 * already, and so may other attempts of the same call; the origin of the stored event tells which is the case.
 */
export class AppendOutcomes {
  readonly #reader: StreamReader;
  readonly #origins: AppendOrigins;
  readonly #known: KnownIds;
  readonly #end: Pick<KnownEnd, 'wasAt'>;

  constructor(reader: StreamReader, origins: AppendOrigins, known: KnownIds, end: Pick<KnownEnd, 'wasAt'>) {
    this.#reader = reader;
    this.#origins = origins;
    this.#known = known;
    this.#end = end;
  }

  /** The result of a response. @throws LogFailure */
  async ofResponse(append: AppendInProgress, response: AppendResponse): Promise<AppendResult> {
    const { stream, expected, events, origin, since, contested } = append;
    if (!response.stored) {
      const bounds = expected === 'any' ? {} : { maxEvents: maxSearchedEvents };
      const found =
        response.actual === 'none' ? undefined : await this.#reader.find(stream, events[0].id, bounds);
      return found ? this.ofStored(found) : { outcome: 'conflict', actual: response.actual };
    }
    const { revision, position } = response;
    const start = revision - events.length + 1;
    // This call can only have stored it after the end of the log that was known before.
    const ours =
      position > since && (!contested || (await this.#origins.originAt(stream, position)) === origin);
    this.#end.wasAt(position, performance.now());
    if (!ours) {
      const known = events.length === 1 ? { revision: start, position } : { revision: start };
      return this.ofKnown(stream, events[0], known);
    }
    events.forEach(({ id }, index) => {
      const last = index === events.length - 1;
      this.#known.remember(stream, id, { revision: start + index, ...(last ? { position } : {}) });
    });
    return { outcome: 'appended', revision, position };
  }

  /** The result if the first event was found after an attempt that had no answer. @throws LogFailure */
  async ofFoundAfterDoubt(append: AppendInProgress, found: StoredEvent): Promise<AppendResult> {
    const { stream, events, origin } = append;
    if (found.origin !== origin) return this.ofStored(found);
    const revision = found.record.revision + events.length - 1;
    const last = events.length === 1 ? found : await this.#reader.at(stream, revision);
    if (last?.origin !== origin) return this.ofStored(found);
    return { outcome: 'appended', revision, position: last.record.position };
  }

  /** The result if the first event was found in the stream. */
  ofStored({ record }: StoredEvent): AppendResult {
    this.#known.rememberRecord(record);
    return { outcome: 'already appended', revision: record.revision, position: record.position };
  }

  /** The result if the first event is known to be in the stream. @throws LogFailure */
  async ofKnown(
    stream: StreamName,
    first: NewEvent,
    { revision, position }: KnownEvent,
  ): Promise<AppendResult> {
    if (position !== undefined) {
      this.#known.remember(stream, first.id, { revision, position });
      return { outcome: 'already appended', revision, position };
    }
    const there = revision < 0 ? undefined : await this.#reader.at(stream, revision);
    const isFirst = there?.record.id === first.id.toLowerCase();
    const stored = isFirst ? there : await this.#reader.find(stream, first.id);
    if (!stored) throw new LogFailure('doubtful', 'an event that is stored cannot be read');
    return this.ofStored(stored);
  }
}
