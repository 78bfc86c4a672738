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
  startOfLog,
} from '../log.ts';
import { isNameBased } from '../name-based-id.ts';
import type { AppendCall } from './append-call.ts';
import { encodeProposals } from './append-message.ts';
import type { AppendInProgress, AppendOutcomes } from './append-outcomes.ts';
import { AttemptFailure } from './append-response.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { KnownEnd } from './known-end.ts';
import { type KnownIds, keyOf } from './known-ids.ts';
import type { StreamReader } from './stream-reader.ts';

export interface AppendTimeouts {
  /** How long one attempt may take. */
  readonly attemptMs: number;
  /** How long an append is retried. */
  readonly appendMs: number;
}

export interface AppenderOptions {
  readonly call: AppendCall;
  readonly reader: StreamReader;
  readonly outcomes: AppendOutcomes;
  readonly known: KnownIds;
  readonly end: Pick<KnownEnd, 'position' | 'knownAt'>;
  readonly server: Pick<Heartbeat, 'downSince' | 'pingNow' | 'untilUp' | 'answers'>;
  /** Asks the server whether its log is still the same. @throws LogFailure */
  readonly checkContinuity: () => Promise<void>;
  readonly timeouts: AppendTimeouts;
}

type Arguments = readonly [
  stream: StreamName,
  expected: ExpectedRevision,
  events: readonly [NewEvent, ...NewEvent[]],
  isCurrent?: () => boolean,
];

/** The pause before the next attempt, by the number of attempts so far. */
const backoffMs = [0, 25, 50, 100, 200, 400];

/** The server is waited for at least this long, even if it has been away for longer than an append may take. */
const minUntilUpMs = 100;

/** For this long after it was read, the end of the log is taken for its present end. */
const endIsFreshMs = 2;

/** How many events before the expected revision are searched for the ids of an append. */
const maxPrecedingEvents = 32;

/** Appends with retries until there is a result. */
export class Appender {
  readonly #options: AppenderOptions;
  readonly #process = randomUUID().slice(0, 8);
  #calls = 0;
  /** The last append with each key; appends with the same key run one after the other. */
  readonly #running = new Map<string, Promise<AppendResult>>();
  /** Appends that failed as doubtful: the position the log was known to reach before they were sent. */
  readonly #doubtful = new LRUCache<string, Position>({ max: 10_000 });

  constructor(options: AppenderOptions) {
    this.#options = options;
  }

  /**
   * See `EventLog.append`.
   * @param isCurrent whether the log is still the one on which it was decided; by default this is not checked
   * @throws LogFailure, TypeError
   */
  append(...given: Arguments): Promise<AppendResult> {
    const [stream, , events] = given;
    const key = keyOf(stream, events[0].id);
    const start = () =>
      this.#append(key, ...given).catch((error: unknown) => {
        const doubtful = error instanceof LogFailure && this.#doubtful.has(key);
        throw doubtful ? new LogFailure('doubtful', error.message, { cause: error }) : error;
      });
    const result = this.#running.get(key)?.then(start, start) ?? start();
    this.#running.set(key, result);
    const done = () => {
      if (this.#running.get(key) === result) this.#running.delete(key);
    };
    result.then(done, done);
    return result;
  }

  /** The log has changed: what was in doubt was sent to another one. */
  reset(): void {
    this.#doubtful.clear();
  }

  /** Resolves when no append is running. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running.values());
  }

  async #append(key: string, ...[stream, expected, events, isCurrent]: Arguments): Promise<AppendResult> {
    const { reader, outcomes, known, end, server } = this.#options;
    const origin = `${this.#process}-${++this.#calls}`;
    const proposals = encodeProposals(stream, events, origin);
    const [first, ...others] = events;
    if (typeof expected === 'number' && !events.some(({ id }) => known.get(stream, id))) {
      await this.#readPreceding(stream, expected);
    }
    const knownFirst = known.get(stream, first.id);
    if (knownFirst) {
      const result = await outcomes.ofKnown(stream, first, knownFirst);
      if (knownFirst.position === undefined) this.#doubtful.delete(key);
      return result;
    }
    if (others.some(({ id }) => known.get(stream, id))) {
      return { outcome: 'conflict', actual: await reader.lastRevision(stream) };
    }
    // A ping also reads the end.
    if (end.position === startOfLog) await server.answers();
    const doubtfulSince = this.#doubtful.get(key);
    if (doubtfulSince !== undefined) {
      const found = await reader.find(stream, first.id, { after: doubtfulSince });
      if (found) {
        this.#doubtful.delete(key);
        return outcomes.ofStored(found);
      }
    }
    const since = doubtfulSince ?? end.position;
    const stale = performance.now() - end.knownAt > endIsFreshMs;
    const contested = stale || doubtfulSince !== undefined || isNameBased(first.id);
    const append = { stream, expected, events, key, origin, since, contested, isCurrent };
    return this.#retryUntilAnswered(append, proposals);
  }

  /** Reads the ids before the expected revision, since the server compares only those after it. */
  async #readPreceding(stream: StreamName, expected: number): Promise<void> {
    const { reader, known } = this.#options;
    const preceding = { direction: 'backwards', from: expected, limit: maxPrecedingEvents } as const;
    for await (const { record } of reader.read(stream, preceding)) known.rememberRecord(record);
  }

  async #retryUntilAnswered(append: AppendInProgress, proposals: Uint8Array): Promise<AppendResult> {
    const { stream, expected, events, key, since, isCurrent } = append;
    const { call, reader, outcomes, server, checkContinuity, timeouts } = this.#options;
    const began = performance.now();
    const deadline = () => Math.min(began, server.downSince ?? began) + timeouts.appendMs;
    let doubtful = this.#doubtful.has(key);
    const failure = (message: string, options?: ErrorOptions) =>
      new LogFailure(doubtful ? 'doubtful' : 'unavailable', message, options);
    for (let attempts = 0; ; attempts++) {
      if (isCurrent?.() === false) throw failure('the log has changed since this was decided');
      try {
        // While the server is known to be down, only the heartbeat sends it anything.
        if (!(await server.untilUp(Math.max(minUntilUpMs, deadline() - performance.now())))) {
          throw new LogFailure('unavailable', 'the event store does not answer');
        }
        if (isCurrent && !call.open) await checkContinuity();
        // A restarted server has forgotten recent ids, and with `any` would store the events again.
        if (attempts > 0 && doubtful && expected === 'any') {
          const found = await reader.find(stream, events[0].id, { after: since });
          if (found) {
            const result = await outcomes.ofFoundAfterDoubt(append, found);
            this.#doubtful.delete(key);
            return result;
          }
        }
        const response = await call.attempt({ stream, expected, proposals, isCurrent }, timeouts.attemptMs);
        doubtful = true;
        const result = await outcomes.ofResponse(append, response);
        this.#doubtful.delete(key);
        return result;
      } catch (error) {
        if (error instanceof AttemptFailure && error.kind === 'refused') {
          throw new Error(`the event store refuses the append: ${error.message}`, { cause: error });
        }
        if (!(error instanceof AttemptFailure || error instanceof LogFailure)) throw error;
        doubtful ||= error.kind === 'doubtful';
        if (doubtful) this.#doubtful.set(key, since);
        if (performance.now() >= deadline()) {
          throw failure(`no answer to an append: ${error.message}`, { cause: error });
        }
        if (await server.pingNow()) await delay(backoffMs[Math.min(attempts, backoffMs.length - 1)]);
      }
    }
  }
}
