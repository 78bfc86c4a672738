import type pg from 'pg';
import { type Logger, pino } from 'pino';
import { openPool, type Purpose } from '../../postgres/connect.ts';
import { Continuity } from '../continuity.ts';
import type { LogIdentity } from '../identity.ts';
import {
  type AppendResult,
  type EventId,
  type EventLog,
  type ExpectedRevision,
  LogFailure,
  type NewEvent,
  type Position,
  type ReadAllOptions,
  type ReadStreamOptions,
  type RecordedEvent,
  type StreamName,
  type SubscribeOptions,
} from '../log.ts';
import { checkStreamName, prepare } from '../prepared.ts';
import { Appender } from './appender.ts';
import { Following } from './following.ts';
import { sightOver } from './identity.ts';
import { placeOf, positionOf } from './position.ts';
import { Reading } from './reading.ts';

/** Connections for reading; appending and listening have one each. */
const readingConnections = 4;

/** A page is read by an index, and holds 4 MB at most. */
const readingPurpose: Purpose = { name: 'bubble-im log', statement: 5_000 };

const healthMilliseconds = 2_000;

export interface PostgresLogOptions extends pg.ClientConfig {
  readonly logger?: Logger;
  /** How long an append is tried, over reconnections too, before it fails; in milliseconds. */
  readonly patience?: number;
}

/**
 * Opens the event log in a Postgres database with the table of 0001-log. Any number of processes may
 * have it open; the order is one, and has no gaps. It comes back by itself after the server was away.
 * @throws LogFailure where the server cannot be reached at first.
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
  readonly #pool: pg.Pool;
  readonly #reading: Reading;
  readonly #appender: Appender;
  readonly #following: Following;
  readonly #continuity: Continuity;
  #closed: Promise<void> | undefined;

  constructor({ logger = pino({ level: 'silent' }), patience = 10_000, ...config }: PostgresLogOptions) {
    this.#pool = openPool(config, readingPurpose, {
      max: readingConnections,
      tell: (reason) => logger.warn({ reason }, 'a connection for reading broke'),
    });
    this.#reading = new Reading(this.#pool);
    this.#continuity = new Continuity(logger);
    const continuity = this.#continuity;
    this.#following = new Following({
      config,
      logger,
      reading: this.#reading,
      continuity,
      ownBackend: () => this.#appender.backend,
    });
    this.#appender = new Appender({
      config,
      logger,
      patience,
      continuity,
      onCommitted: (batch) => this.#following.committed(batch),
    });
  }

  connected(): Promise<void> {
    return this.#appender.connected();
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
    return this.#appender.append(stream, expected, prepare(stream, events), generation);
  }

  async *readStream(stream: StreamName, options: ReadStreamOptions = {}): AsyncIterable<RecordedEvent> {
    checkStreamName(stream);
    const { direction = 'forwards', limit = Number.POSITIVE_INFINITY } = options;
    const step = direction === 'forwards' ? 1 : -1;
    let from = options.from ?? (direction === 'forwards' ? 0 : Number.MAX_SAFE_INTEGER);
    let left = limit;
    while (left > 0) {
      const { records, more } = await this.#reading.stream(stream, direction, from, left);
      yield* records;
      const last = records.at(-1);
      if (!more || !last) return;
      left -= records.length;
      from = last.revision + step;
    }
  }

  async at(position: Position): Promise<RecordedEvent | undefined> {
    const place = placeOf(position);
    if (place === 0) return undefined;
    const { records } = await this.#reading.all(place - 1, place, undefined, 1);
    return records[0];
  }

  readAll(options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
    const after = placeOf(options.after ?? positionOf(0));
    const end = this.#reading.end();
    // Whoever reads hears of it; who never begins to read need not.
    end.catch(() => {});
    return this.#readBetween(after, end, options);
  }

  async *#readBetween(after: number, end: Promise<number>, options: ReadAllOptions) {
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    let place = after;
    for (const upTo = await end; left > 0 && place < upTo; ) {
      const { records, reached } = await this.#reading.all(place, upTo, options.prefixes, left);
      yield* records;
      left -= records.length;
      place = reached;
    }
  }

  subscribe(options: SubscribeOptions): AsyncIterable<readonly RecordedEvent[]> {
    return this.#following.subscribe(options);
  }

  async end(prefixes?: readonly string[]): Promise<Position> {
    return positionOf(await this.#reading.end(prefixes));
  }

  extent(after: Position, upTo: Position): number {
    return Math.max(0, placeOf(upTo) - placeOf(after));
  }

  get generation(): number {
    return this.#continuity.generation;
  }

  onChanged(hear: () => void): () => void {
    return this.#continuity.onChanged(hear);
  }

  async identity(): Promise<LogIdentity | undefined> {
    const { identity } = await this.#ask((sight) => sight.look(undefined));
    return this.#continuity.learn(identity);
  }

  async found(identity: LogIdentity): Promise<LogIdentity> {
    return this.#continuity.learn(await this.#ask((sight) => sight.found(identity)));
  }

  beginEpoch(old: string): Promise<LogIdentity> {
    return this.#ask((sight) => sight.beginEpoch(old));
  }

  async idAt(position: Position): Promise<EventId | undefined> {
    const { id } = await this.#ask((sight) => sight.look(position));
    return id;
  }

  async #ask<Answer>(question: (sight: ReturnType<typeof sightOver>) => Promise<Answer>): Promise<Answer> {
    try {
      return await question(sightOver(this.#pool));
    } catch (cause) {
      throw new LogFailure('unavailable', 'the log cannot be asked who it is', { cause });
    }
  }

  async healthy(): Promise<boolean> {
    if (!this.#appender.ready) return false;
    const late = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => late.resolve(false), healthMilliseconds);
    const answer = this.#pool.query('select 1').then(
      () => true,
      () => false,
    );
    const healthy = await Promise.race([answer, late.promise]);
    clearTimeout(timer);
    return healthy;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#appender.close();
    await this.#following.close();
    await this.#pool.end();
  }
}
