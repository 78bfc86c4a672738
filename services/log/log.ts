/**
 * The port to the event log. Postgres and EventStoreDB fit it; nothing above it knows which it is.
 * Every adapter passes the contract suite in test/log/contract.ts.
 */

import type { LogIdentity } from './identity.ts';

/**
 * A stream's name, `category-id`: 1 to 200 UTF-16 units, no NUL, no lone surrogate, not beginning with `$`,
 * which is the store's own. The name of an event's type: the same, but that it may begin with anything.
 */
export type StreamName = string & { readonly __brand: 'StreamName' };

/** A UUID that the writer gives. Within a stream an id stands at most once. */
export type EventId = string & { readonly __brand: 'EventId' };

/**
 * Where an event lies in the whole log. Opaque; two positions of one log compare as strings do.
 * `''` is before everything.
 */
export type Position = string & { readonly __brand: 'Position' };

export const startOfLog = '' as Position;

/** A JSON object; every JavaScript string in it survives, NUL and lone surrogates included. */
export type Json = Readonly<Record<string, unknown>>;

/** At most this many bytes of data (as JSON, UTF-8) may be appended at once. */
export const maxAppendBytes = 1_000_000;

export interface NewEvent {
  readonly id: EventId;
  readonly type: string;
  readonly data: Json;
  readonly metadata: Json;
}

/** The texts of an event's JSON, as the store gives them. */
export interface RawEvent {
  readonly data: string;
  /** Without what a store adds for itself. */
  readonly metadata: string;
}

export interface RecordedEvent extends NewEvent {
  readonly stream: StreamName;
  /** 0 for the first event of the stream, then one more each. */
  readonly revision: number;
  readonly position: Position;
  /** When the log stored it, in milliseconds since 1970. */
  readonly recorded: number;
  /**
   * What `data` and `metadata` were parsed from. `append` writes what `JSON.stringify` makes of them, so
   * that a text that differs from it (a number no double holds, a key twice, a blank) was written by others.
   */
  readonly raw: RawEvent;
}

/** What the stream must look like for an append: anything, nothing yet, or its last revision. */
export type ExpectedRevision = 'any' | 'none' | number;

export type AppendResult =
  /** Stored now; `revision` and `position` are those of the last event. */
  | { readonly outcome: 'appended'; readonly revision: number; readonly position: Position }
  /**
   * The first event's id stood in the stream before: nothing was stored. `revision` and `position`
   * are those of that first event. Checked before the expected revision.
   */
  | { readonly outcome: 'already appended'; readonly revision: number; readonly position: Position }
  /** The stream is not at the expected revision, or a later event's id stands; `actual` is its last revision. */
  | { readonly outcome: 'conflict'; readonly actual: number | 'none' };

/**
 * The log could not do it.
 * - `unavailable`: nothing was stored; repeat it later.
 * - `doubtful`: perhaps it was stored. Repeat the same append, same ids and expected revision.
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
  /** The first revision to read, itself included; by default the first or, backwards, the last. */
  readonly from?: number;
  readonly limit?: number;
}

export interface ReadAllOptions {
  /** Read what lies strictly after this position; by default everything. */
  readonly after?: Position;
  /** Only streams whose name begins with one of these; by default all (but the store's own `$…`). */
  readonly prefixes?: readonly string[];
  readonly limit?: number;
}

export interface SubscribeOptions {
  readonly after: Position;
  readonly prefixes?: readonly string[];
  /** Ends the iteration, without an error. */
  readonly signal: AbortSignal;
}

export interface EventLog {
  /**
   * How long an id is known in its stream when the expected revision is `any`. Where it is `recently`,
   * a very late repeat may be stored twice, and every fold takes the first event of an id only.
   */
  readonly remembersIds: 'forever' | 'recently';

  /**
   * Appends events to one stream, all or none.
   * @param generation the log's when the decision began: nothing is appended to a later one
   * @throws LogFailure; TypeError for a name, id or size that no log takes.
   */
  append(
    stream: StreamName,
    expected: ExpectedRevision,
    events: readonly [NewEvent, ...NewEvent[]],
    generation?: number,
  ): Promise<AppendResult>;

  /** The stream's events in order; nothing where there is no such stream. @throws TypeError for no name of a stream. */
  readStream(stream: StreamName, options?: ReadStreamOptions): AsyncIterable<RecordedEvent>;

  /**
   * The event that lies at a position; undefined if none does.
   * @throws LogFailure; TypeError for what is no position of this kind of log.
   */
  at(position: Position): Promise<RecordedEvent | undefined>;

  /** The log's events up to its end at the time of the call, in order of position, in flat memory. */
  readAll(options?: ReadAllOptions): AsyncIterable<RecordedEvent>;

  /**
   * History, then what comes, in order of position, without a gap, nothing twice. Each batch holds
   * what had gathered while the one before it was handled (at most some hundreds); nothing is read
   * ahead without bound. Survives the server's absence; ends by the signal, or throws LogChanged, or
   * StrangeLog while the server holds another installation's log, or none.
   */
  subscribe(options: SubscribeOptions): AsyncIterable<readonly RecordedEvent[]>;

  /**
   * The position of the last event, `startOfLog` when there is none: of streams whose names begin with
   * one of the prefixes, by default of any but the store's own. @throws LogFailure
   */
  end(prefixes?: readonly string[]): Promise<Position>;

  /** How much of the log lies between two positions: events in Postgres, bytes in EventStoreDB. */
  extent(after: Position, upTo: Position): number;

  /** Grows each time the log is found to be another than it was: it lost events, or begins another epoch. */
  readonly generation: number;

  /** Calls `hear` when the generation has grown, before anything else is appended. Returns how to stop. */
  onChanged(hear: () => void): () => void;

  /** What the log is known by; undefined before it was given anything. @throws LogFailure */
  identity(): Promise<LogIdentity | undefined>;

  /** Gives a log without an identity this one. @returns the one that it has then. @throws LogFailure */
  found(identity: LogIdentity): Promise<LogIdentity>;

  /**
   * Begins another epoch, unless the log's is another than `old` already.
   * @returns what the log has then
   * @throws LogFailure
   */
  beginEpoch(old: string): Promise<LogIdentity>;

  /** The id of the event that lies at a position; undefined if there is none. @throws LogFailure */
  idAt(position: Position): Promise<EventId | undefined>;

  /** Whether the log answers just now. */
  healthy(): Promise<boolean>;

  /** Settles what is under way, ends all subscriptions, lets go of the server. */
  close(): Promise<void>;
}
