import pTimeout from 'p-timeout';
import type pg from 'pg';
import { type Logger, pino } from 'pino';
import { measureAppend } from '../../measurements.ts';
import { openPool, type Purpose } from '../../postgres/connect.ts';
import { checkStreamName, prepare } from '../append-request.ts';
import { begunReadIsSent } from '../begun-read.ts';
import { Continuity } from '../continuity.ts';
import { eventsAt } from '../events-at.ts';
import type { LogIdentity } from '../identity.ts';
import {
  type AppendResult,
  type EventId,
  type EventLog,
  type EventPlace,
  type ExpectedRevision,
  LogFailure,
  type MisplacedEvent,
  type MisplacedEventsOptions,
  type NewEvent,
  type Position,
  type ReadAllOptions,
  type ReadStreamOptions,
  type ReadStreamsOptions,
  type RecordedEvent,
  type StreamName,
  type SubscribeOptions,
} from '../log.ts';
import { mergedPages } from '../merged-pages.ts';
import { Appender } from './appender.ts';
import { inspectorOver } from './identity-table.ts';
import { LogReader } from './log-reader.ts';
import { eventsBeyondReads, misplacedEvents } from './misplaced-events.ts';
import { eventNumberOf, positionOf } from './position.ts';
import { Subscriptions } from './subscriptions.ts';

/** Connections for reading; appending and listening have one together. */
const maxReadingConnections = 4;

/**
 * A page is read by an index and holds at most 4 MB. A plan for given parameters would take the two hashes of a long stream for
 * independent, expect few of its events, and sort all of them.
 */
export const readingPurpose: Purpose = {
  name: 'bubble-im log',
  statementTimeoutMs: 5_000,
  settings: { plan_cache_mode: 'force_generic_plan' },
};

const healthTimeoutMs = 2_000;

export interface PostgresLogOptions extends pg.ClientConfig {
  readonly logger?: Logger;
  /** For how long an append is retried, over reconnections too, before it fails. */
  readonly appendTimeoutMs?: number;
  /** For how long the first connection is tried. */
  readonly connectTimeoutMs?: number;
}

/**
 * Opens the event log in a Postgres database with the tables of migration 0001. Any number of processes may
 * have it open: there is one order without gaps. It reconnects by itself after an outage of the server.
 * @throws LogFailure if the server cannot be reached at first
 */
export async function openPostgresLog(options: PostgresLogOptions): Promise<EventLog> {
  const log = new PostgresLog(options);
  try {
    await log.connected();
  } catch (error) {
    await log.close();
    throw error;
  }
  return log;
}

class PostgresLog implements EventLog {
  readonly remembersIds = 'forever';
  readonly recordedAscends = true;
  readonly #pool: pg.Pool;
  readonly #reader: LogReader;
  readonly #appender: Appender;
  readonly #subscriptions: Subscriptions;
  readonly #continuity: Continuity;
  readonly #config: pg.ClientConfig;
  readonly #connectTimeoutMs: number;
  #closed: Promise<void> | undefined;

  constructor(options: PostgresLogOptions) {
    const { logger = pino({ level: 'silent' }), appendTimeoutMs = 10_000, ...rest } = options;
    const { connectTimeoutMs = 10_000, ...config } = rest;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#config = config;
    this.#pool = openPool(config, readingPurpose, {
      max: maxReadingConnections,
      onBroken: (reason) => logger.warn({ reason }, 'a connection for reading broke'),
    });
    this.#reader = new LogReader(this.#pool);
    this.#continuity = new Continuity(logger);
    const continuity = this.#continuity;
    this.#subscriptions = new Subscriptions({
      logger,
      reader: this.#reader,
      continuity,
      listening: () => this.#appender.ready,
    });
    this.#appender = new Appender({
      config,
      logger,
      appendTimeoutMs,
      continuity,
      onCommitted: (batch) => this.#subscriptions.committed(batch),
      onNotified: (eventNumber) => this.#subscriptions.notified(eventNumber),
      onConnected: () => this.#subscriptions.listeningAgain(),
    });
  }

  connected(): Promise<void> {
    return this.#appender.connected(this.#connectTimeoutMs);
  }

  async append(
    stream: StreamName,
    expected: ExpectedRevision,
    events: readonly [NewEvent, ...NewEvent[]],
    generation?: number,
  ): Promise<AppendResult> {
    if (typeof expected === 'number' && !(Number.isSafeInteger(expected) && expected >= 0)) {
      throw new TypeError(`not a revision: ${expected}`);
    }
    const prepared = prepare(stream, events);
    return measureAppend(events, () => this.#appender.append(stream, expected, prepared, generation));
  }

  async *readStream(stream: StreamName, options: ReadStreamOptions = {}): AsyncIterable<RecordedEvent> {
    checkStreamName(stream);
    const { direction = 'forwards', limit = Number.POSITIVE_INFINITY } = options;
    const step = direction === 'forwards' ? 1 : -1;
    let from = options.from ?? (direction === 'forwards' ? 0 : Number.MAX_SAFE_INTEGER);
    let left = limit;
    while (left > 0) {
      const { records, more } = await this.#reader.stream(stream, direction, from, left);
      yield* records;
      const last = records.at(-1);
      if (!more || !last) return;
      left -= records.length;
      from = last.revision + step;
    }
  }

  async *readStreams(
    streams: readonly StreamName[],
    { direction = 'forwards' }: ReadStreamsOptions = {},
  ): AsyncIterable<RecordedEvent> {
    for (const stream of streams) checkStreamName(stream);
    yield* mergedPages(streams, direction, (starts, maxEvents) =>
      this.#reader.streams(starts, direction, maxEvents),
    );
  }

  async *readEvents(places: readonly EventPlace[]): AsyncIterable<RecordedEvent> {
    for (const { stream } of places) checkStreamName(stream);
    yield* eventsAt(places, async (some) => {
      const starts = some.map(({ stream, revision }) => ({ stream, from: revision }));
      const pages = await this.#reader.streams(starts, 'forwards', 1);
      return pages.map(({ records: [record] }) => record);
    });
  }

  async at(position: Position): Promise<RecordedEvent | undefined> {
    const eventNumber = eventNumberOf(position);
    if (eventNumber === 0) return undefined;
    const { records } = await this.#reader.all(eventNumber - 1, eventNumber, undefined, 1);
    return records[0];
  }

  readAll(options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
    const after = eventNumberOf(options.after ?? positionOf(0));
    const end = this.#reader.end();
    // The iteration throws its error; if nobody iterates, it must not be an unhandled rejection.
    end.catch(() => {});
    return this.#readBetween(after, end, options);
  }

  /** Reads one page ahead, so that the server reads the next one while the caller works on this one. */
  async *#readBetween(after: number, end: Promise<number>, { limit, prefixes, signal }: ReadAllOptions) {
    const upTo = await end;
    const read = (reached: number, left: number) => {
      if (left <= 0 || reached >= upTo) return undefined;
      const page = this.#reader.all(reached, upTo, prefixes, left);
      page.catch(() => {});
      return page;
    };
    let left = limit ?? Number.POSITIVE_INFINITY;
    for (let next = read(after, left); next; ) {
      const { records, reached } = await next;
      signal?.throwIfAborted();
      left -= records.length;
      next = read(reached, left);
      if (next) await begunReadIsSent();
      // Not by `yield*`, which wraps each record in promises of its own.
      for (const record of records) yield record;
    }
  }

  async *hiddenStreams(): AsyncIterable<never> {}

  misplacedEvents({ thorough, signal }: MisplacedEventsOptions = {}): AsyncIterable<MisplacedEvent> {
    return thorough ? misplacedEvents(this.#config, signal) : eventsBeyondReads(this.#pool);
  }

  subscribe(options: SubscribeOptions): AsyncIterable<readonly RecordedEvent[]> {
    return this.#subscriptions.subscribe(options);
  }

  async end(prefixes?: readonly string[]): Promise<Position> {
    return positionOf(await this.#reader.end(prefixes));
  }

  extent(after: Position, upTo: Position): number {
    return Math.max(0, eventNumberOf(upTo) - eventNumberOf(after));
  }

  get generation(): number {
    return this.#continuity.generation;
  }

  onChanged(listener: () => void): () => void {
    return this.#continuity.onChanged(listener);
  }

  async identity(): Promise<LogIdentity | undefined> {
    const { identity } = await this.#inspect((inspector) => inspector.inspect(undefined));
    return this.#continuity.noteIdentity(identity);
  }

  async found(identity: LogIdentity): Promise<LogIdentity> {
    return this.#continuity.noteIdentity(await this.#inspect((inspector) => inspector.found(identity)));
  }

  beginEpoch(old: string): Promise<LogIdentity> {
    return this.#inspect((inspector) => inspector.beginEpoch(old));
  }

  async idAt(position: Position): Promise<EventId | undefined> {
    const { id } = await this.#inspect((inspector) => inspector.inspect(position));
    return id;
  }

  async #inspect<Result>(
    use: (inspector: ReturnType<typeof inspectorOver>) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await use(inspectorOver(this.#pool));
    } catch (cause) {
      throw new LogFailure('unavailable', 'the identity of the log cannot be read', { cause });
    }
  }

  async healthy(): Promise<boolean> {
    if (!this.#appender.ready) return false;
    const answer = this.#pool.query('select 1').then(
      () => true,
      () => false,
    );
    return pTimeout(answer, { milliseconds: healthTimeoutMs, fallback: () => false });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#appender.close();
    this.#subscriptions.close();
    await this.#pool.end();
  }
}
