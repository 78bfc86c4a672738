import { setMaxListeners } from 'node:events';
import { BACKWARDS, END } from '@eventstore/db-client';
import type { Logger } from 'pino';
import { Continuity } from '../continuity.ts';
import { type LogIdentity, StrangeLog } from '../identity.ts';
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
  startOfLog,
} from '../log.ts';
import { checkStreamName } from '../prepared.ts';
import { Appender, type AppendPatience } from './appender.ts';
import { Appends } from './appends.ts';
import { connectionTo, type EventStoreDBConnection } from './connection.ts';
import { Heartbeat, type Pulse } from './heartbeat.ts';
import { IdentityStream } from './identity.ts';
import { KnownIds } from './known-ids.ts';
import { positionOf, storedPositionOf } from './position.ts';
import { readPatiently } from './reading.ts';
import { StoredStreams } from './streams.ts';
import type { Source } from './stretch.ts';
import { follow, readThrough } from './subscription.ts';
import { Witness } from './witness.ts';

/** How long the server is waited for, in milliseconds. */
export interface Patience extends AppendPatience {
  /** A read that gives nothing for so long fails. */
  readonly read: number;
  readonly pulse: Pulse;
}

export interface EventStoreDBOptions {
  /** `esdb://host:2113?tls=false`, several hosts, or `esdb+discover://…`. */
  readonly url: string;
  readonly logger: Logger;
  readonly patience?: Partial<Patience>;
  /** The stream that says whose log it is; one for each installation on a server. */
  readonly identityStream?: StreamName;
}

const ordinaryIdentityStream = 'installation' as StreamName;

const ordinary: Patience = {
  attempt: 3_000,
  append: 5_000,
  read: 4_000,
  pulse: { silence: 1_000, deadline: 2_000 },
};

/**
 * The log in EventStoreDB. Nothing is connected yet when this returns: the first call does that,
 * and `healthy` tells.
 * @throws Error for a connection string that cannot be read.
 */
export function openEventStoreDBLog(options: EventStoreDBOptions): EventLog {
  const { url, logger, identityStream = ordinaryIdentityStream } = options;
  return new EventStoreDBLog(connectionTo(url), logger, { ...ordinary, ...options.patience }, identityStream);
}

class EventStoreDBLog implements EventLog {
  readonly remembersIds = 'recently';
  readonly #connection: EventStoreDBConnection;
  readonly #logger: Logger;
  readonly #patience: Patience;
  readonly #streams: StoredStreams;
  readonly #known = new KnownIds();
  readonly #continuity: Continuity;
  readonly #identity: IdentityStream;
  #checking: Promise<void> | undefined;
  readonly #appends: Appends;
  readonly #appender: Appender;
  readonly #heartbeat: Heartbeat;
  readonly #silence = new EventTarget();
  readonly #closing = new AbortController();
  #end: Position = startOfLog;
  #endKnownAt = Number.NEGATIVE_INFINITY;

  readonly #source: Source;

  constructor(
    connection: EventStoreDBConnection,
    logger: Logger,
    patience: Patience,
    identityStream: StreamName,
  ) {
    this.#connection = connection;
    this.#logger = logger;
    this.#patience = patience;
    this.#streams = new StoredStreams(connection, patience.read);
    this.#continuity = new Continuity(logger);
    this.#identity = new IdentityStream({
      connection,
      streams: this.#streams,
      milliseconds: patience.read,
      append: (...given) => this.#appender.append(...given),
      stream: identityStream,
    });
    this.#appends = new Appends(connection, () => this.#heartbeat.heard());
    this.#heartbeat = new Heartbeat(
      patience.pulse,
      () => this.#learnEnd(),
      () => this.#leaveFrozenServer(),
    );
    setMaxListeners(0, this.#silence, this.#closing.signal);
    const witness = new Witness(connection, patience.read);
    this.#source = {
      connection,
      logger,
      silence: this.#silence,
      server: this.#heartbeat,
      saw: (record, mark) => {
        this.#continuity.saw(record);
        witness.saw(record.stream, record.position, mark);
      },
      continuity: this.#continuity,
      check: () => this.#checkAnew(),
      heard: (position) => {
        this.#heartbeat.heard();
        // In history it is not the end: it says nothing of how things stand now.
        if (position && position > this.#end) this.#end = position;
      },
    };
    const log = this;
    this.#appender = new Appender(
      this.#appends,
      this.#streams,
      witness,
      this.#known,
      {
        get end() {
          return log.#end;
        },
        get endKnownAt() {
          return log.#endKnownAt;
        },
        server: this.#heartbeat,
        check: () => this.#checkAnew(),
        seen: (position) => this.#seen(position, performance.now()),
        learn: async () => {
          if (this.#end === startOfLog) await this.#heartbeat.answers();
        },
      },
      patience,
    );
    this.#continuity.onChanged(() => {
      this.#end = startOfLog;
      this.#endKnownAt = Number.NEGATIVE_INFINITY;
      this.#known.clear();
      this.#appender.forget();
      witness.forget();
      this.#streams.forget();
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

  onChanged(hear: () => void): () => void {
    return this.#continuity.onChanged(hear);
  }

  async identity(): Promise<LogIdentity | undefined> {
    const { identity } = await this.#identity.look(undefined);
    return this.#continuity.learn(identity);
  }

  async found(identity: LogIdentity): Promise<LogIdentity> {
    return this.#continuity.learn(await this.#identity.found(identity));
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
    return this.#appender.append(stream, expected, events, () => generation === this.#continuity.generation);
  }

  async *readStream(stream: StreamName, options?: ReadStreamOptions): AsyncIterable<RecordedEvent> {
    if (this.#closing.signal.aborted) throw closed();
    checkStreamName(stream);
    for await (const { record } of this.#streams.read(stream, options)) {
      this.#known.rememberRecord(record);
      yield record;
    }
  }

  async at(position: Position): Promise<RecordedEvent | undefined> {
    if (this.#closing.signal.aborted) throw closed();
    const stored = storedPositionOf(position);
    return stored && this.#streams.atPosition(stored);
  }

  async *readAll(options: ReadAllOptions = {}): AsyncIterable<RecordedEvent> {
    const { after = startOfLog, prefixes, limit = Number.POSITIVE_INFINITY } = options;
    const end = await this.end();
    if (end <= after || limit <= 0 || prefixes?.length === 0) return;
    let given = 0;
    const extent = { after, end, prefixes, patience: this.#patience.read };
    for await (const record of readThrough(this.#source, extent, this.#closing.signal)) {
      yield record;
      if (++given >= limit) return;
    }
  }

  subscribe(options: SubscribeOptions): AsyncIterable<readonly RecordedEvent[]> {
    const { after, prefixes, signal } = options;
    const left = new AbortController();
    const ends = AbortSignal.any([signal, left.signal, this.#closing.signal]);
    const batches = follow(this.#source, after, prefixes, ends);
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => batches.next(),
        // A generator would let its `return` wait for the next batch.
        return: () => {
          left.abort();
          return batches.return();
        },
      }),
    };
  }

  end(prefixes?: readonly string[]): Promise<Position> {
    if (this.#closing.signal.aborted) return Promise.reject(closed());
    return this.#streams.end(prefixes);
  }

  healthy(): Promise<boolean> {
    return this.#closing.signal.aborted ? Promise.resolve(false) : this.#heartbeat.answers();
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#appender.settle();
    this.#heartbeat.stop();
    this.#appends.drop('the log is closed');
    await this.#connection.abandon();
  }

  /** The log reached to this position at a time. */
  #seen(position: Position, at: number): void {
    if (position < this.#end) return;
    this.#end = position;
    this.#endKnownAt = at;
  }

  /** The cheapest question there is; its answer also says how far the log reaches. */
  async #learnEnd(): Promise<void> {
    const asked = performance.now();
    const read = this.#connection.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 });
    for await (const { event } of readPatiently(read, this.#patience.read)) {
      if (event?.position) this.#seen(positionOf(event.position), asked);
    }
  }

  /** As `Continuity.check`; what is asked at once is asked once. @throws LogFailure */
  #checkAnew(): Promise<void> {
    this.#checking ??= this.#continuity
      .check(this.#identity)
      .catch((error: unknown) => {
        if (!(error instanceof StrangeLog)) throw error;
        throw new LogFailure('unavailable', error.message, { cause: error });
      })
      .finally(() => {
        this.#checking = undefined;
      });
    return this.#checking;
  }

  #leaveFrozenServer(): void {
    this.#logger.warn('the event store does not answer: connecting anew');
    this.#appends.drop('the event store does not answer');
    this.#silence.dispatchEvent(new Event('silent'));
    this.#connection.abandon().catch(() => undefined);
  }
}

function closed(): LogFailure {
  return new LogFailure('unavailable', 'the log is closed');
}
