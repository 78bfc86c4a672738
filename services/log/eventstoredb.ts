import { setMaxListeners } from 'node:events';
import { BACKWARDS, END } from '@eventstore/db-client';
import type { Logger } from 'pino';
import { Appender, type AppendPatience } from './eventstoredb-appender.ts';
import { Appends } from './eventstoredb-appends.ts';
import { connectionTo, type EventStoreDBConnection } from './eventstoredb-connection.ts';
import { Heartbeat, type Pulse } from './eventstoredb-heartbeat.ts';
import { KnownIds } from './eventstoredb-known-ids.ts';
import { positionOf } from './eventstoredb-position.ts';
import { readPatiently } from './eventstoredb-reading.ts';
import { StoredStreams } from './eventstoredb-streams.ts';
import type { Source } from './eventstoredb-stretch.ts';
import { follow, readThrough } from './eventstoredb-subscription.ts';
import { Witness } from './eventstoredb-witness.ts';
import {
  type AppendResult,
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
} from './log.ts';
import { checkStreamName } from './prepared.ts';

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
}

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
  return new EventStoreDBLog(connectionTo(options.url), options.logger, { ...ordinary, ...options.patience });
}

class EventStoreDBLog implements EventLog {
  readonly remembersIds = 'recently';
  readonly #connection: EventStoreDBConnection;
  readonly #logger: Logger;
  readonly #patience: Patience;
  readonly #streams: StoredStreams;
  readonly #known = new KnownIds();
  readonly #appends: Appends;
  readonly #appender: Appender;
  readonly #heartbeat: Heartbeat;
  readonly #silence = new EventTarget();
  readonly #closing = new AbortController();
  #end: Position = startOfLog;
  #endKnownAt = Number.NEGATIVE_INFINITY;

  readonly #source: Source;

  constructor(connection: EventStoreDBConnection, logger: Logger, patience: Patience) {
    this.#connection = connection;
    this.#logger = logger;
    this.#patience = patience;
    this.#streams = new StoredStreams(connection, patience.read);
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
      saw: (stream, position, mark) => witness.saw(stream, position, mark),
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
        seen: (position) => this.#seen(position, performance.now()),
        learn: async () => {
          if (this.#end === startOfLog) await this.#heartbeat.answers();
        },
      },
      patience,
    );
  }

  append(
    stream: StreamName,
    expected: ExpectedRevision,
    events: readonly [NewEvent, ...NewEvent[]],
  ): Promise<AppendResult> {
    if (this.#closing.signal.aborted) return Promise.reject(closed());
    return this.#appender.append(stream, expected, events);
  }

  async *readStream(stream: StreamName, options?: ReadStreamOptions): AsyncIterable<RecordedEvent> {
    if (this.#closing.signal.aborted) throw closed();
    checkStreamName(stream);
    for await (const { record } of this.#streams.read(stream, options)) {
      this.#known.rememberRecord(record);
      yield record;
    }
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

  end(): Promise<Position> {
    if (this.#closing.signal.aborted) return Promise.reject(closed());
    return this.#streams.end();
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
