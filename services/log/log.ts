/**
 * The port to the event log. Postgres and EventStoreDB implement it, and nothing above it knows which one is used.
 * Every adapter passes the contract suite in test/log/contract.ts.
 */

import type { LogIdentity } from './identity.ts';

/**
 * A stream's name, `category-id`: 1 to 200 UTF-16 units, no NUL, no lone surrogate, no `$` at the beginning, which
 * marks the store's own streams. Names of event types follow the same rules, but may begin with `$`.
 */
export type StreamName = string & { readonly __brand: 'StreamName' };

/** A UUID that the writer gives an event. It is unique within its stream. */
export type EventId = string & { readonly __brand: 'EventId' };

/**
 * The position of an event in the whole log. Opaque; two positions of one log compare as strings do.
 * `''` is before everything.
 */
export type Position = string & { readonly __brand: 'Position' };

export const startOfLog = '' as Position;

/** A JSON object. Every JavaScript string in it is preserved, NUL and lone surrogates included. */
export type Json = Readonly<Record<string, unknown>>;

/** The most bytes of data (as JSON, in UTF-8) in one append. */
export const maxAppendBytes = 1_000_000;

export interface NewEvent {
  readonly id: EventId;
  readonly type: string;
  readonly data: Json;
  readonly metadata: Json;
}

/** The JSON texts of an event, as the store contains them. */
export interface RawEvent {
  readonly data: string;
  /** Without the store's own additions. */
  readonly metadata: string;
}

export interface RecordedEvent extends NewEvent {
  readonly stream: StreamName;
  /** 0 for the first event of the stream, 1 for the second … */
  readonly revision: number;
  readonly position: Position;
  /**
   * When the log stored it, in milliseconds since 1970. EventStoreDB writes the clock of its leader, which may be set
   * back, and a reader cannot mend that: what it gave would depend on where it began to read (see `recordedAscends`).
   */
  readonly recorded: number;
  /**
   * The texts from which `data` and `metadata` were parsed. `append` writes the output of `JSON.stringify`, so a
   * text that differs from it (by a number that is no double, a repeated key, a space) was written by others.
   */
  readonly raw: RawEvent;
}

/** The state of the stream that an append requires: any, no stream yet, or its last revision. */
export type ExpectedRevision = 'any' | 'none' | number;

export type AppendResult =
  /** Stored now. `revision` and `position` are those of the last event. */
  | { readonly outcome: 'appended'; readonly revision: number; readonly position: Position }
  /**
   * The stream already contains the first event's id, and nothing was stored. `revision` and `position`
   * are those of that first event. This is checked before the expected revision.
   */
  | { readonly outcome: 'already appended'; readonly revision: number; readonly position: Position }
  /**
   * The stream is not at the expected revision, or contains the id of an event other than the first.
   * `actual` is its last revision.
   */
  | { readonly outcome: 'conflict'; readonly actual: number | 'none' };

/**
 * The log could not do what was asked.
 * - `unavailable`: nothing was stored; repeat it later.
 * - `doubtful`: it may have been stored. Repeat the same append with the same ids and expected revision.
 */
export class LogFailure extends Error {
  override readonly name = 'LogFailure';
  readonly kind: 'unavailable' | 'doubtful';

  constructor(kind: 'unavailable' | 'doubtful', message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

export interface ReadStreamOptions {
  readonly direction?: 'forwards' | 'backwards';
  /** The first revision to read, inclusive; by default the first one, or the last one when reading backwards. */
  readonly from?: number;
  readonly limit?: number;
}

export interface ReadStreamsOptions {
  readonly direction?: 'forwards' | 'backwards';
}

/** Where an event is in its stream. */
export type EventPlace = Pick<RecordedEvent, 'stream' | 'revision'>;

export interface ReadAllOptions {
  /** Read the events strictly after this position; by default all. */
  readonly after?: Position;
  /** Read only streams whose names begin with one of these; by default all but the store's own (`$…`). */
  readonly prefixes?: readonly string[];
  readonly limit?: number;
  /** Ends the read with its reason, also while no event of the prefixes comes: that may be for a minute in a large log. */
  readonly signal?: AbortSignal;
}

/** A stream that a store gives without its first events, or will once its metadata take hold. */
export interface HiddenStream {
  readonly stream: StreamName;
  /** The first revision that `readStream` gives: 0 if it hides nothing yet; undefined if it gives none. */
  readonly readableFrom: number | undefined;
}

/** What is wrong with where an event lies. */
export type Misplacement =
  /** Its position is one that no read of the whole log gives, while who reads its stream gets it. */
  | 'beyond reads'
  /** Another event before it has its position. */
  | 'position repeated'
  /** Some positions before it hold no event. */
  | 'positions missing'
  /** In the order of the log it is not the next one of its stream. */
  | 'revision out of order'
  /** An event before it in its stream has its id. */
  | 'id repeated'
  /** It lacks something that every event has. */
  | 'value missing'
  /** Its type begins with `$`, as those do that EventStoreDB keeps for itself. */
  | 'type of the store'
  /** Its type is longer than any that an append takes, or holds NUL. */
  | 'no type'
  /** By its data it belongs to another stream. */
  | 'of another stream';

/** An event that lies where no append puts one, so that it was written past the program, or others were removed so. */
export interface MisplacedEvent {
  readonly misplacement: Misplacement;
  /** As the store has it; undefined if that lacks it. */
  readonly stream: string | undefined;
  readonly revision: string | undefined;
  readonly position: string | undefined;
  readonly type: string | undefined;
}

export interface MisplacedEventsOptions {
  /** Looks at all events; by default alone for what lies beyond reads of the whole log, which is found at once. */
  readonly thorough?: boolean;
  /** Ends the search with its reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface SubscribeOptions {
  readonly after: Position;
  readonly prefixes?: readonly string[];
  /** Ends the iteration without an error. */
  readonly signal: AbortSignal;
}

export interface EventLog {
  /**
   * For how long an id is recognised in its stream when the expected revision is `any`. With `recently`, an
   * append that is repeated very late may be stored twice; so every fold applies only the first event of an id.
   */
  readonly remembersIds: 'forever' | 'recently';

  /** Whether `recorded` never decreases from one position to the next. */
  readonly recordedAscends: boolean;

  /**
   * Appends events to one stream, all or none.
   * @param generation the log's generation when the decision began; in a later one nothing is appended
   * @throws LogFailure; TypeError for an illegal name, id or size
   */
  append(
    stream: StreamName,
    expected: ExpectedRevision,
    events: readonly [NewEvent, ...NewEvent[]],
    generation?: number,
  ): Promise<AppendResult>;

  /** The stream's events in order; none if there is no such stream. @throws LogFailure; TypeError for an illegal name */
  readStream(stream: StreamName, options?: ReadStreamOptions): AsyncIterable<RecordedEvent>;

  /**
   * The events of some streams in the order of the log, or in the reverse order. Many streams of few events are read
   * together; a page of each stream is held in memory.
   * @throws LogFailure; TypeError for an illegal name
   */
  readStreams(streams: readonly StreamName[], options?: ReadStreamsOptions): AsyncIterable<RecordedEvent>;

  /**
   * Single events of streams, in the order asked; those that the log lacks are left out. Many are read together.
   * @throws LogFailure; TypeError for an illegal name
   */
  readEvents(places: readonly EventPlace[]): AsyncIterable<RecordedEvent>;

  /**
   * The event at a position; undefined if there is none.
   * @throws LogFailure; TypeError for a position of another kind of log
   */
  at(position: Position): Promise<RecordedEvent | undefined>;

  /** The log's events up to its end at the time of the call, in order of position, in constant memory. */
  readAll(options?: ReadAllOptions): AsyncIterable<RecordedEvent>;

  /**
   * The streams with these beginnings of names that the store gives without their first events, or as if they did not
   * exist, because an operator of the store deleted or truncated them; and those whose metadata may hide events later, as
   * `$maxCount` does once there are more. `readAll` gives such events until the store
   * removes them for good. Postgres has no such streams: what is deleted there is missing from every read.
   * @param after only those that were deleted or truncated behind this position; by default all
   * @throws LogFailure
   */
  hiddenStreams(prefixes: readonly string[], after?: Position): AsyncIterable<HiddenStream>;

  /**
   * Events that lie where no append puts one: those who read streams, as commands do, and those who read the whole log may get
   * other events then. Of each kind of fault the first hundred. EventStoreDB has none, as it gives events their places itself.
   * @throws LogFailure
   */
  misplacedEvents(options?: MisplacedEventsOptions): AsyncIterable<MisplacedEvent>;

  /**
   * The log's history and then new events, in order of position, without gaps or duplicates. Each batch holds
   * what had arrived while the previous one was processed (at most some hundreds of events), so memory is bounded.
   * The subscription survives outages of the server. It ends by the signal, or throws LogChanged, or
   * StrangeLog while the server holds another installation's log or none.
   */
  subscribe(options: SubscribeOptions): AsyncIterable<readonly RecordedEvent[]>;

  /**
   * The position of the last event, `startOfLog` if there is none: of streams whose names begin with
   * one of the prefixes, by default of all but the store's own. @throws LogFailure
   */
  end(prefixes?: readonly string[]): Promise<Position>;

  /** The amount of log between two positions: events in Postgres, bytes in EventStoreDB. */
  extent(after: Position, upTo: Position): number;

  /** Grows by one each time the log turns out to have changed: it lost events, or another epoch began. */
  readonly generation: number;

  /**
   * Calls `listener` when the generation has grown, before anything else is appended.
   * @returns a function that removes the listener
   */
  onChanged(listener: () => void): () => void;

  /** The log's identity; undefined until it was given one. @throws LogFailure */
  identity(): Promise<LogIdentity | undefined>;

  /** Gives a log without an identity this one. @returns the identity it has afterwards. @throws LogFailure */
  found(identity: LogIdentity): Promise<LogIdentity>;

  /**
   * Begins another epoch if the log's epoch is still `old`.
   * @returns the identity it has afterwards
   * @throws LogFailure
   */
  beginEpoch(old: string): Promise<LogIdentity>;

  /** The id of the event at a position; undefined if there is none. @throws LogFailure */
  idAt(position: Position): Promise<EventId | undefined>;

  /** Whether the log answers now. */
  healthy(): Promise<boolean>;

  /** Finishes running appends, ends all subscriptions, closes the connections. */
  close(): Promise<void>;
}
