import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import {
  type AppendResult,
  type ExpectedRevision,
  LogFailure,
  type NewEvent,
  type Position,
  type StreamName,
} from '../log.ts';
import { type Answer, AttemptFailure } from './answer.ts';
import type { Appends } from './appends.ts';
import { proposalsOf } from './event.ts';
import type { Heartbeat } from './heartbeat.ts';
import { type KnownIds, keyOf } from './known-ids.ts';
import type { Stored, StoredStreams } from './streams.ts';
import type { Witness } from './witness.ts';

/** How long one attempt may take, and how long an append is repeated, in milliseconds. */
export interface AppendPatience {
  readonly attempt: number;
  readonly append: number;
}

/** How far the log is known to reach, and whether the server answers. */
export interface Horizon {
  readonly end: Position;
  /** When that was so, on the clock of `performance.now()`. */
  readonly endKnownAt: number;
  /** Reads the end where nothing is known of it yet; never fails. */
  learn(): Promise<void>;
  seen(position: Position): void;
  /** Asks the server whether its log is still the same. @throws LogFailure */
  check(): Promise<void>;
  readonly server: Pick<Heartbeat, 'downSince' | 'suspect' | 'back'>;
}

interface Append {
  readonly stream: StreamName;
  readonly expected: ExpectedRevision;
  readonly events: readonly [NewEvent, ...NewEvent[]];
  readonly key: string;
  /** What tells this call from others that append the same. */
  readonly mark: string;
  /** Up to where the log was known to reach before this id was first sent. */
  readonly since: Position;
  /** Whether others may have stored the same behind that place. */
  readonly contested: boolean;
  readonly isCurrent: (() => boolean) | undefined;
}

/** Between two attempts, in milliseconds. */
const pauses = [0, 25, 50, 100, 200, 400];

/** However long the server has been away, so many milliseconds it is waited for, lest callers spin. */
const leastWait = 100;

/** For so many milliseconds the end of the log, once known, is taken as its end. */
const endIsFresh = 2;

/** After a conflict, so many events are looked through for the first id. */
const mostSearched = 4096;

/** Before an append at a given revision, so many events are looked through for its ids. */
const mostPreceding = 32;

/**
 * Appends until there is an answer, and tells what was stored now from what stood before; the
 * server answers both alike.
 */
export class Appender {
  readonly #appends: Appends;
  readonly #streams: StoredStreams;
  readonly #witness: Witness;
  readonly #known: KnownIds;
  readonly #horizon: Horizon;
  readonly #patience: AppendPatience;
  readonly #process = randomUUID().slice(0, 8);
  #calls = 0;
  readonly #underWay = new Map<string, Promise<AppendResult>>();
  /** Appends that were given up in doubt, and how far the log was known to reach before them. */
  readonly #doubted = new LRUCache<string, Position>({ max: 10_000 });

  constructor(
    appends: Appends,
    streams: StoredStreams,
    witness: Witness,
    known: KnownIds,
    horizon: Horizon,
    patience: AppendPatience,
  ) {
    this.#appends = appends;
    this.#streams = streams;
    this.#witness = witness;
    this.#known = known;
    this.#horizon = horizon;
    this.#patience = patience;
  }

  /**
   * As `EventLog.append`.
   * @param isCurrent whether the log is still the one on which it was decided; if it is left out, that
   *   is not asked
   * @throws LogFailure, TypeError
   */
  append(
    stream: StreamName,
    expected: ExpectedRevision,
    events: readonly [NewEvent, ...NewEvent[]],
    isCurrent?: () => boolean,
  ): Promise<AppendResult> {
    const key = keyOf(stream, events[0].id);
    const start = () =>
      this.#append(stream, expected, events, key, isCurrent).catch((error: unknown) => {
        const doubtful = error instanceof LogFailure && this.#doubted.has(key);
        throw doubtful ? new LogFailure('doubtful', error.message, { cause: error }) : error;
      });
    const result = this.#underWay.get(key)?.then(start, start) ?? start();
    this.#underWay.set(key, result);
    const done = () => {
      if (this.#underWay.get(key) === result) this.#underWay.delete(key);
    };
    result.then(done, done);
    return result;
  }

  /** The log is another one: what is doubted says nothing of it. */
  forget(): void {
    this.#doubted.clear();
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
    isCurrent: (() => boolean) | undefined,
  ): Promise<AppendResult> {
    const mark = `${this.#process}-${++this.#calls}`;
    const proposals = proposalsOf(stream, events, mark);
    const ids = events.map(({ id }) => id);
    if (typeof expected === 'number' && !ids.some((id) => this.#known.get(stream, id))) {
      await this.#lookBefore(stream, expected);
    }
    const [first, ...others] = ids;
    const standing = first && this.#known.get(stream, first);
    if (standing) return this.#already(stream, events[0], standing.revision, standing.position);
    if (others.some((id) => this.#known.get(stream, id))) {
      return { outcome: 'conflict', actual: await this.#streams.lastRevision(stream) };
    }
    await this.#horizon.learn();
    const doubted = this.#doubted.get(key);
    if (doubted !== undefined) {
      const found = await this.#streams.find(stream, events[0].id, { after: doubted });
      if (found) return this.#found(stream, key, found);
    }
    const since = doubted ?? this.#horizon.end;
    const stale = performance.now() - this.#horizon.endKnownAt > endIsFresh;
    const contested = stale || doubted !== undefined || isNameBased(events[0].id);
    const append = { stream, expected, events, key, mark, since, contested, isCurrent };
    return this.#repeatUntilAnswered(append, proposals);
  }

  /** The server compares ids only behind the expected revision; what stands before it is read here. */
  async #lookBefore(stream: StreamName, expected: number): Promise<void> {
    const preceding = { direction: 'backwards', from: expected, limit: mostPreceding } as const;
    for await (const { record } of this.#streams.read(stream, preceding)) this.#known.rememberRecord(record);
  }

  async #repeatUntilAnswered(
    append: Append,
    proposals: ReturnType<typeof proposalsOf>,
  ): Promise<AppendResult> {
    const { stream, expected, events, key, since } = append;
    const { server } = this.#horizon;
    const started = performance.now();
    const giveUp = () => Math.min(started, server.downSince ?? started) + this.#patience.append;
    let doubtful = this.#doubted.has(key);
    for (let tries = 0; ; tries++) {
      if (append.isCurrent?.() === false) {
        const kind = doubtful ? 'doubtful' : 'unavailable';
        throw new LogFailure(kind, 'the log is another one than it was when this was decided');
      }
      try {
        // Whoever knows that the server is away does not knock as well: the heartbeat does.
        if (!(await server.back(Math.max(leastWait, giveUp() - performance.now())))) {
          throw new LogFailure('unavailable', 'the event store does not answer');
        }
        if (append.isCurrent && !this.#appends.open) await this.#horizon.check();
        // After a restart the server no longer knows the ids of late, and with `any` would store them again.
        if (tries > 0 && doubtful && expected === 'any') {
          const found = await this.#streams.find(stream, events[0].id, { after: since });
          if (found) return await this.#foundAfterDoubt(append, found);
        }
        const answer = await this.#appends.attempt(
          { stream, expected, proposals, isCurrent: append.isCurrent },
          this.#patience.attempt,
        );
        doubtful = true;
        const result = await this.#resultOf(append, answer);
        this.#doubted.delete(key);
        return result;
      } catch (failure) {
        if (failure instanceof AttemptFailure && failure.kind === 'refused') {
          throw new Error(`the event store refuses the append: ${failure.message}`, { cause: failure });
        }
        if (!(failure instanceof AttemptFailure || failure instanceof LogFailure)) throw failure;
        doubtful ||= failure.kind === 'doubtful';
        if (doubtful) this.#doubted.set(key, since);
        if (performance.now() >= giveUp()) {
          const kind = doubtful ? 'doubtful' : 'unavailable';
          throw new LogFailure(kind, `no answer to an append: ${failure.message}`, { cause: failure });
        }
        if (await server.suspect()) await delay(pauses[Math.min(tries, pauses.length - 1)]);
      }
    }
  }

  async #resultOf(append: Append, answer: Answer): Promise<AppendResult> {
    const { stream, expected, events, key, mark, since, contested } = append;
    if (!answer.stands) {
      const most = expected === 'any' ? {} : { most: mostSearched };
      const found =
        answer.actual === 'none' ? undefined : await this.#streams.find(stream, events[0].id, most);
      return found ? this.#found(stream, key, found) : { outcome: 'conflict', actual: answer.actual };
    }
    const { revision, position } = answer;
    const start = revision - events.length + 1;
    // Only what lies behind the end that was known before can have been stored by this call.
    const ours = position > since && (!contested || (await this.#witness.markAt(stream, position)) === mark);
    this.#horizon.seen(position);
    if (!ours) return this.#already(stream, events[0], start, events.length === 1 ? position : undefined);
    events.forEach(({ id }, index) => {
      const last = index === events.length - 1;
      this.#known.remember(stream, id, { revision: start + index, ...(last ? { position } : {}) });
    });
    return { outcome: 'appended', revision, position };
  }

  /** What an earlier attempt of this call stored is as if it had been answered. */
  async #foundAfterDoubt(append: Append, found: Stored): Promise<AppendResult> {
    const { stream, events, key, mark } = append;
    if (found.mark !== mark) return this.#found(stream, key, found);
    const revision = found.record.revision + events.length - 1;
    const last = events.length === 1 ? found : await this.#streams.at(stream, revision);
    if (last?.mark !== mark) return this.#found(stream, key, found);
    this.#doubted.delete(key);
    return { outcome: 'appended', revision, position: last.record.position };
  }

  #found(stream: StreamName, key: string, { record }: Stored): AppendResult {
    this.#doubted.delete(key);
    const { id, revision, position } = record;
    this.#known.remember(stream, id, { revision, position });
    return { outcome: 'already appended', revision, position };
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
    const isFirst = there?.record.id === first.id.toLowerCase();
    const stored = isFirst ? there : await this.#streams.find(stream, first.id);
    if (!stored) throw new LogFailure('doubtful', 'an event that stands cannot be read');
    return this.#found(stream, keyOf(stream, first.id), stored);
  }
}

/**
 * Whether an id is made from a name (version 5), so that another process can come to the same one
 * at the same time. The others are made once, and repeated by who made them.
 */
function isNameBased(id: string): boolean {
  return id.charAt(14) === '5';
}
