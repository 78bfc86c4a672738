import { setMaxListeners } from 'node:events';
import type { Logger } from 'pino';
import { measureAppend } from '../../measurements.ts';
import { checkStreamName } from '../append-request.ts';
import { Continuity } from '../continuity.ts';
import { endingAtReturn } from '../ending-at-return.ts';
import { eventsAt } from '../events-at.ts';
import { type LogIdentity, StrangeLog } from '../identity.ts';
import {
  type AppendResult,
  type EventId,
  type EventLog,
  type EventPlace,
  type ExpectedRevision,
  type HiddenStream,
  LogFailure,
  type NewEvent,
  type Position,
  type ReadAllOptions,
  type ReadStreamOptions,
  type ReadStreamsOptions,
  type RecordedEvent,
  type StreamName,
  type SubscribeOptions,
  startOfLog,
} from '../log.ts';
import { mergedPages } from '../merged-pages.ts';
import { AppendCall } from './append-call.ts';
import { AppendOrigins } from './append-origins.ts';
import { AppendOutcomes } from './append-outcomes.ts';
import { Appender, type AppendTimeouts } from './appender.ts';
import { connectionTo, type EventStoreDBConnection } from './connection.ts';
import { Heartbeat, type HeartbeatTimeouts } from './heartbeat.ts';
import { IdentityStream } from './identity-stream.ts';
import { KnownEnd } from './known-end.ts';
import { KnownIds } from './known-ids.ts';
import { storedPositionOf } from './position.ts';
import { recordsIn, streamNotices } from './selection.ts';
import { StreamReader } from './stream-reader.ts';
import { follow, type LogRange, readThrough } from './subscription.ts';
import type { SubscriptionContext } from './subscription-session.ts';

export interface EventStoreDBTimeouts extends AppendTimeouts {
  /** After how long a read that returns nothing fails. */
  readonly readMs: number;
  readonly heartbeat: HeartbeatTimeouts;
}

export interface EventStoreDBOptions {
  /** `esdb://host:2113?tls=false`, several hosts, or `esdb+discover://…`. */
  readonly url: string;
  readonly logger: Logger;
  readonly timeouts?: Partial<EventStoreDBTimeouts>;
  /** The stream that contains the log's identity; each installation on a server has its own. */
  readonly identityStream?: StreamName;
}

const defaultIdentityStream = 'installation' as StreamName;

const defaultTimeouts: EventStoreDBTimeouts = {
  attemptMs: 3_000,
  appendMs: 5_000,
  readMs: 4_000,
  heartbeat: { silenceMs: 1_000, answerTimeoutMs: 2_000 },
};

/**
 * The log in EventStoreDB. It connects at the first call; `healthy` says whether the server answers.
 * @throws Error for an illegal connection string
 */
export function openEventStoreDBLog(options: EventStoreDBOptions): EventLog {
  const { url, logger, identityStream = defaultIdentityStream } = options;
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  return new EventStoreDBLog(connectionTo(url), logger, timeouts, identityStream);
}

class EventStoreDBLog implements EventLog {
  readonly remembersIds = 'recently';
  readonly recordedAscends = false;
  readonly #connection: EventStoreDBConnection;
  readonly #timeouts: EventStoreDBTimeouts;
  readonly #reader: StreamReader;
  readonly #end: KnownEnd;
  readonly #known = new KnownIds();
  readonly #continuity: Continuity;
  readonly #identity: IdentityStream;
  readonly #call: AppendCall;
  readonly #appender: Appender;
  readonly #heartbeat: Heartbeat;
  readonly #silence = new EventTarget();
  readonly #closing = new AbortController();
  readonly #subscriptions: SubscriptionContext;
  #checkingContinuity: Promise<void> | undefined;

  constructor(
    connection: EventStoreDBConnection,
    logger: Logger,
    timeouts: EventStoreDBTimeouts,
    identityStream: StreamName,
  ) {
    this.#connection = connection;
    this.#timeouts = timeouts;
    // Every subscription listens to both.
    setMaxListeners(0, this.#silence, this.#closing.signal);
    const end = new KnownEnd(connection, timeouts.readMs);
    const origins = new AppendOrigins(connection, timeouts.readMs);
    this.#end = end;
    this.#reader = new StreamReader(connection, timeouts.readMs);
    this.#continuity = new Continuity(logger);
    // The next call goes to the node that leads now; a subscription would stay at the other one, which may be cut off.
    const followLeader = () => this.#silence.dispatchEvent(new Event('moved'));
    this.#call = new AppendCall(connection, () => this.#heartbeat.received(), followLeader);
    this.#heartbeat = new Heartbeat(timeouts.heartbeat, () => end.query(), {
      onSilent: () => this.#leaveFrozenServer(),
      onDown: () => logger.error('the event store does not answer: reconnecting'),
      onUp: (downMs) => {
        logger.info({ seconds: Math.round(downMs / 1000) }, 'the event store answers again');
        followLeader();
      },
    });
    this.#appender = new Appender({
      call: this.#call,
      reader: this.#reader,
      outcomes: new AppendOutcomes(this.#reader, origins, this.#known, end),
      known: this.#known,
      end,
      server: this.#heartbeat,
      checkContinuity: () => this.#checkContinuity(),
      timeouts,
    });
    this.#identity = new IdentityStream({
      connection,
      reader: this.#reader,
      readTimeoutMs: timeouts.readMs,
      append: (...given) => this.#appender.append(...given),
      stream: identityStream,
    });
    this.#subscriptions = {
      connection,
      logger,
      silence: this.#silence,
      server: this.#heartbeat,
      continuity: this.#continuity,
      checkContinuity: () => this.#checkContinuity(),
      onEvent: (record, origin) => {
        this.#continuity.noteEvent(record);
        origins.delivered(record.stream, record.position, origin);
      },
      onReceived: (position) => {
        this.#heartbeat.received();
        if (position) end.includes(position);
      },
    };
    this.#continuity.onChanged(() => {
      for (const memory of [end, this.#appender, origins, this.#reader]) memory.reset();
      this.#known.clear();
      this.#silence.dispatchEvent(new Event('silent'));
    });
  }

  extent(after: Position, upTo: Position): number {
    const [from = 0n, to = 0n] = [after, upTo].map((position) => storedPositionOf(position)?.commit);
    return Math.max(0, Number(to - from));
  }

  get generation(): number {
    return this.#continuity.generation;
  }

  onChanged(listener: () => void): () => void {
    return this.#continuity.onChanged(listener);
  }

  async identity(): Promise<LogIdentity | undefined> {
    const { identity } = await this.#identity.inspect(undefined);
    return this.#continuity.noteIdentity(identity);
  }

  async found(identity: LogIdentity): Promise<LogIdentity> {
    return this.#continuity.noteIdentity(await this.#identity.found(identity));
  }

  beginEpoch(old: string): Promise<LogIdentity> {
    return this.#identity.beginEpoch(old);
  }

  idAt(position: Position): Promise<EventId | undefined> {
    return this.#identity.idAt(position);
  }

  append(
    stream: StreamName,
    expected: ExpectedRevision,
    events: readonly [NewEvent, ...NewEvent[]],
    generation = this.#continuity.generation,
  ): Promise<AppendResult> {
    if (this.#closing.signal.aborted) return Promise.reject(closed());
    return measureAppend(events, () =>
      this.#appender.append(stream, expected, events, () => generation === this.#continuity.generation),
    );
  }

  async *readStream(stream: StreamName, options?: ReadStreamOptions): AsyncIterable<RecordedEvent> {
    if (this.#closing.signal.aborted) throw closed();
    checkStreamName(stream);
    for await (const { record } of this.#reader.read(stream, options)) {
      this.#known.rememberRecord(record);
      yield record;
    }
  }

  async *readStreams(
    streams: readonly StreamName[],
    { direction = 'forwards' }: ReadStreamsOptions = {},
  ): AsyncIterable<RecordedEvent> {
    if (this.#closing.signal.aborted) throw closed();
    for (const stream of streams) checkStreamName(stream);
    yield* mergedPages(streams, direction, (starts, maxEvents) =>
      this.#reader.pages(starts, direction, maxEvents),
    );
  }

  async *readEvents(places: readonly EventPlace[]): AsyncIterable<RecordedEvent> {
    if (this.#closing.signal.aborted) throw closed();
    for (const { stream } of places) checkStreamName(stream);
    yield* eventsAt(places, (some) => this.#reader.places(some));
  }

  async at(position: Position): Promise<RecordedEvent | undefined> {
    if (this.#closing.signal.aborted) throw closed();
    const stored = storedPositionOf(position);
    return stored && this.#reader.atPosition(stored);
  }

  async *readAll(options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
    const { after = startOfLog, prefixes, limit = Number.POSITIVE_INFINITY, signal } = options;
    const end = await this.end();
    if (end <= after || limit <= 0 || prefixes?.length === 0) return;
    let count = 0;
    const selection = recordsIn(prefixes, this.#subscriptions.onEvent);
    try {
      for await (const record of this.#readThrough({ after, end, selection }, signal)) {
        yield record;
        if (++count >= limit) return;
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
    signal?.throwIfAborted();
  }

  async *hiddenStreams(prefixes: readonly string[], after = startOfLog): AsyncIterable<HiddenStream> {
    if (this.#closing.signal.aborted) throw closed();
    // What was deleted last may lie behind the last event of the log.
    await this.#end.query();
    const range = { after, end: this.#end.position, selection: streamNotices };
    if (range.end <= after) return;
    const streams = new Map<StreamName, boolean>();
    for await (const { stream, lasting } of this.#readThrough(range)) {
      if (prefixes.some((prefix) => stream.startsWith(prefix))) streams.set(stream, lasting);
    }
    for (const [stream, lasting] of streams) {
      const readableFrom = await this.#reader.firstRevision(stream);
      if (readableFrom !== 0 || lasting) yield { stream, readableFrom };
    }
  }

  async *misplacedEvents(): AsyncIterable<never> {}

  #readThrough<Item extends { readonly position: Position }>(
    range: Omit<LogRange<Item>, 'timeoutMs'>,
    signal?: AbortSignal,
  ): AsyncIterable<Item> {
    const { readMs: timeoutMs } = this.#timeouts;
    const closing = this.#closing.signal;
    const ending = signal ? AbortSignal.any([closing, signal]) : closing;
    return readThrough(this.#subscriptions, { ...range, timeoutMs }, ending);
  }

  subscribe(options: SubscribeOptions): AsyncIterable<readonly RecordedEvent[]> {
    const { after, prefixes } = options;
    return endingAtReturn([options.signal, this.#closing.signal], (signal) =>
      follow(this.#subscriptions, after, prefixes, signal),
    );
  }

  end(prefixes?: readonly string[]): Promise<Position> {
    if (this.#closing.signal.aborted) return Promise.reject(closed());
    return this.#reader.end(prefixes);
  }

  healthy(): Promise<boolean> {
    return this.#closing.signal.aborted ? Promise.resolve(false) : this.#heartbeat.answers();
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#appender.settled();
    this.#heartbeat.stop();
    this.#call.drop('the log is closed');
    await this.#connection.abandon();
  }

  /** See `Continuity.check`; concurrent calls share one check. @throws LogFailure */
  #checkContinuity(): Promise<void> {
    this.#checkingContinuity ??= this.#continuity
      .check(this.#identity)
      .catch((error: unknown) => {
        if (!(error instanceof StrangeLog)) throw error;
        throw new LogFailure('unavailable', error.message, { cause: error });
      })
      .finally(() => {
        this.#checkingContinuity = undefined;
      });
    return this.#checkingContinuity;
  }

  #leaveFrozenServer(): void {
    this.#call.drop('the event store does not answer');
    this.#silence.dispatchEvent(new Event('silent'));
    this.#connection.abandon().catch(() => undefined);
  }
}

function closed(): LogFailure {
  return new LogFailure('unavailable', 'the log is closed');
}
