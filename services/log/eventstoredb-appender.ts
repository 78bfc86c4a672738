import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { type Answer, AttemptFailure } from './eventstoredb-answer.ts';
import type { Appends } from './eventstoredb-appends.ts';
import { assertStreamName, proposalsOf } from './eventstoredb-event.ts';
import { type KnownIds, keyOf } from './eventstoredb-known-ids.ts';
import type { StoredStreams } from './eventstoredb-streams.ts';
import {
  type AppendResult,
  type ExpectedRevision,
  LogFailure,
  type NewEvent,
  type Position,
  type RecordedEvent,
  type StreamName,
} from './log.ts';

/** How long one attempt may take, and how long an append is repeated, in milliseconds. */
export interface AppendPatience {
  readonly attempt: number;
  readonly append: number;
}

/** How far the log is known to reach, and whether the server answers. */
export interface Horizon {
  readonly end: Position;
  /** Reads the end where nothing is known of it yet; never fails. */
  learn(): Promise<void>;
  seen(position: Position): void;
  /** Since when the server is known not to answer, on the clock of `performance.now()`. */
  readonly downSince: number | undefined;
}

interface Append {
  readonly stream: StreamName;
  readonly expected: ExpectedRevision;
  readonly events: readonly [NewEvent, ...NewEvent[]];
  readonly key: string;
  /** Up to where the log was known to reach before this id was first sent. */
  readonly since: Position;
}

/** Between two attempts, in milliseconds. */
const pauses = [0, 25, 50, 100, 200, 400];

/** After a conflict, so many events are looked through for the first id. */
const mostSearched = 4096;

/**
 * Appends until there is an answer, and tells what was stored now from what stood before; the
 * server answers both alike.
 */
export class Appender {
  readonly #appends: Appends;
  readonly #streams: StoredStreams;
  readonly #known: KnownIds;
  readonly #horizon: Horizon;
  readonly #patience: AppendPatience;
  readonly #underWay = new Map<string, Promise<AppendResult>>();
  /** Appends that were given up in doubt, and how far the log was known to reach before them. */
  readonly #doubted = new LRUCache<string, Position>({ max: 10_000 });

  constructor(
    appends: Appends,
    streams: StoredStreams,
    known: KnownIds,
    horizon: Horizon,
    patience: AppendPatience,
  ) {
    this.#appends = appends;
    this.#streams = streams;
    this.#known = known;
    this.#horizon = horizon;
    this.#patience = patience;
  }

  /** As `EventLog.append`. @throws LogFailure, TypeError */
  append(
    stream: StreamName,
    expected: ExpectedRevision,
    events: readonly [NewEvent, ...NewEvent[]],
  ): Promise<AppendResult> {
    const key = keyOf(stream, events[0].id);
    const before = this.#underWay.get(key);
    const result = before
      ? before.then(
          () => this.#append(stream, expected, events, key),
          () => this.#append(stream, expected, events, key),
        )
      : this.#append(stream, expected, events, key);
    this.#underWay.set(key, result);
    const done = () => {
      if (this.#underWay.get(key) === result) this.#underWay.delete(key);
    };
    result.then(done, done);
    return result;
  }

  /** Waits until nothing is under way any more. */
  async settle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay.values());
  }

  async #append(
    stream: StreamName,
    expected: ExpectedRevision,
    events: readonly [NewEvent, ...NewEvent[]],
    key: string,
  ): Promise<AppendResult> {
    assertStreamName(stream);
    const proposals = proposalsOf(events);
    const [first, ...others] = events;
    const standing = this.#known.get(stream, first.id);
    if (standing) return this.#already(stream, first, standing.revision, standing.position);
    if (others.some((event) => this.#known.get(stream, event.id))) {
      return { outcome: 'conflict', actual: await this.#streams.lastRevision(stream) };
    }
    await this.#horizon.learn();
    const doubted = this.#doubted.get(key);
    const append = { stream, expected, events, key, since: doubted ?? this.#horizon.end };
    if (doubted !== undefined) {
      const found = await this.#streams.find(stream, first.id, { after: doubted });
      if (found) return this.#found(append, found);
    }
    return this.#repeatUntilAnswered(append, proposals);
  }

  async #repeatUntilAnswered(
    append: Append,
    proposals: ReturnType<typeof proposalsOf>,
  ): Promise<AppendResult> {
    const { stream, expected, events, key, since } = append;
    const started = performance.now();
    let doubtful = this.#doubted.has(key);
    for (let tries = 0; ; tries++) {
      try {
        // After a restart the server no longer knows the ids of late, and with `any` would store them again.
        if (tries > 0 && doubtful && expected === 'any') {
          const found = await this.#streams.find(stream, events[0].id, { after: since });
          if (found) return await this.#foundOfOurs(append, found);
        }
        const answer = await this.#appends.attempt(stream, expected, proposals, this.#patience.attempt);
        const result = await this.#resultOf(append, answer);
        this.#doubted.delete(key);
        return result;
      } catch (failure) {
        if (failure instanceof AttemptFailure && failure.kind === 'refused') {
          throw new Error(`the event store refuses the append: ${failure.message}`, { cause: failure });
        }
        if (!(failure instanceof AttemptFailure || failure instanceof LogFailure)) throw failure;
        if (failure.kind === 'doubtful') {
          doubtful = true;
          this.#doubted.set(key, since);
        }
        const giveUp = Math.min(started, this.#horizon.downSince ?? started) + this.#patience.append;
        if (performance.now() >= giveUp) {
          const kind = doubtful ? 'doubtful' : 'unavailable';
          throw new LogFailure(kind, `no answer to an append: ${failure.message}`, { cause: failure });
        }
        await delay(pauses[Math.min(tries, pauses.length - 1)]);
      }
    }
  }

  async #resultOf(append: Append, answer: Answer): Promise<AppendResult> {
    const { stream, expected, events } = append;
    const [first] = events;
    if (!answer.stands) {
      const most = expected === 'any' ? {} : { most: mostSearched };
      const found = answer.actual === 'none' ? undefined : await this.#streams.find(stream, first.id, most);
      return found ? this.#found(append, found) : { outcome: 'conflict', actual: answer.actual };
    }
    const { revision, position } = answer;
    const start = revision - events.length + 1;
    if (position <= append.since) {
      return this.#already(stream, first, start, events.length === 1 ? position : undefined);
    }
    this.#horizon.seen(position);
    if (isNameBased(first.id)) {
      const stored = await this.#streams.at(stream, start);
      if (stored && !(stored.id === first.id.toLowerCase() && sameContent(stored, first))) {
        return this.#already(stream, first, start, undefined);
      }
    }
    events.forEach((event, index) => {
      const last = index === events.length - 1;
      this.#known.remember(stream, event.id, { revision: start + index, ...(last ? { position } : {}) });
    });
    return { outcome: 'appended', revision, position };
  }

  /** An attempt of this call was stored after all: it is as if it had been answered. */
  async #foundOfOurs(append: Append, found: RecordedEvent): Promise<AppendResult> {
    if (!sameContent(found, append.events[0])) return this.#found(append, found);
    const last = found.revision + append.events.length - 1;
    const stored = last === found.revision ? found : await this.#streams.at(append.stream, last);
    if (!stored) return this.#found(append, found);
    return this.#resultOf(append, { stands: true, revision: last, position: stored.position });
  }

  #found(append: Append, found: RecordedEvent): AppendResult {
    this.#doubted.delete(append.key);
    this.#known.rememberRecord(found);
    return { outcome: 'already appended', revision: found.revision, position: found.position };
  }

  async #already(
    stream: StreamName,
    first: NewEvent,
    revision: number,
    position: Position | undefined,
  ): Promise<AppendResult> {
    if (position !== undefined) {
      this.#known.remember(stream, first.id, { revision, position });
      return { outcome: 'already appended', revision, position };
    }
    const there = revision < 0 ? undefined : await this.#streams.at(stream, revision);
    const stored = there?.id === first.id.toLowerCase() ? there : await this.#streams.find(stream, first.id);
    if (!stored) throw new LogFailure('doubtful', 'an event that stands cannot be read');
    this.#known.rememberRecord(stored);
    return { outcome: 'already appended', revision: stored.revision, position: stored.position };
  }
}

/**
 * Whether an id is made from a name (version 5), so that another process can come to the same one
 * at the same time. The others are made once, and repeated by nobody else.
 */
function isNameBased(id: string): boolean {
  return id.charAt(14) === '5';
}

function sameContent(stored: RecordedEvent, event: NewEvent): boolean {
  return (
    stored.type === event.type &&
    textOf(stored.data) === textOf(event.data) &&
    textOf(stored.metadata) === textOf(event.metadata)
  );
}

/** JSON as it is after the way to the server and back. */
function textOf(json: unknown): string {
  return JSON.stringify(JSON.parse(JSON.stringify(json)));
}
