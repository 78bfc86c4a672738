import { LRUCache } from 'lru-cache';
import { Refusal } from '../../contracts/codes.ts';
import type { DomainEvent } from '../../contracts/events/index.ts';
import type { AggregateStream } from '../domain/aggregate.ts';
import { UnreadableEvent } from '../log/codec.ts';
import type { EventId, EventLog, Position, RecordedEvent, StreamName } from '../log/log.ts';
import { Skips, skipStream } from '../log/skips.ts';
import { type PositionedEvent, type SkippedRevision, StreamFold } from './folded.ts';
import { LogFollower } from './log-follower.ts';
import { SnapshotKeeping } from './snapshot-keeping.ts';
import type { Snapshots } from './snapshots.ts';
import { type StreamEntry, StreamFolder } from './stream-folder.ts';
import { Turns } from './turns.ts';
import { UnreadableEvents, unreadableText } from './unreadable-events.ts';

/** A state and how far it was folded. `revision` is -1 if the stream has no events yet. */
export interface Snapshot<State> {
  readonly state: State;
  readonly revision: number;
  /** The position of the last folded event; `startOfLog` if there is none. */
  readonly position: Position;
}

/** The streams whose states are kept. */
const prefixes = [
  'user-',
  'friendship-',
  'group-',
  'reply-',
  'setting',
  'announcement',
  'allowance-',
  skipStream,
];

interface AggregateStoreOptions {
  /** The most memory for states, in the units of the aggregates' weights. */
  readonly maxWeight?: number | undefined;
  /** By default every stream is folded from its beginning. */
  readonly snapshots?: Snapshots;
  /** Called with every event that any process appends to these streams. */
  readonly onRecord?: (record: RecordedEvent) => void;
}

/**
 * The states that commands decide on: folded once, kept in bounded memory, and updated from the log. Events that
 * this process appends are in the state at once, those of other processes as soon as the subscription delivers them.
 */
export class AggregateStore {
  /** The order in which commands on one stream run. */
  readonly turns = new Turns();
  readonly #log: EventLog;
  readonly #entries: LRUCache<StreamName, StreamEntry>;
  readonly #onFailure: (error: unknown) => void;
  readonly #onRecord: (record: RecordedEvent) => void;
  readonly #snapshots: SnapshotKeeping;
  readonly #folder: StreamFolder;
  readonly #follower: LogFollower;
  readonly #unreadable = new UnreadableEvents();
  readonly #removeListener: () => void;
  #skips: Skips;

  /**
   * `onFailure` is called with each UnreadableEvent, after which the program can go on, and with any other error
   * that ends the following of the log. The states are then no longer updated, so the process must end.
   */
  constructor(
    log: EventLog,
    onFailure: (error: unknown) => void,
    { maxWeight = 100_000, snapshots, onRecord = () => undefined }: AggregateStoreOptions = {},
  ) {
    this.#log = log;
    this.#onFailure = onFailure;
    this.#onRecord = onRecord;
    this.#snapshots = new SnapshotKeeping(log, snapshots);
    this.#skips = new Skips(log);
    this.#folder = new StreamFolder(log, this.#snapshots, () => this.#skips);
    this.#entries = new LRUCache({ maxSize: maxWeight, sizeCalculation: (entry) => entry.weight });
    this.#removeListener = log.onChanged(() => this.#entries.clear());
    this.#follower = new LogFollower({
      ...{ log, prefixes, onFailure },
      onRecord: (record) => this.#apply(record),
      onInterrupted: () => this.#entries.clear(),
      onLogChanged: () => this.#restart(),
    });
  }

  /** Begins to follow the log. Nothing may be loaded before this has resolved. */
  async start(): Promise<void> {
    const after = await this.#log.end();
    await this.#skips.refresh();
    this.#follower.start(after);
  }

  async stop(): Promise<void> {
    this.#removeListener();
    await this.#follower.stop();
    await this.#snapshots.settled();
  }

  /** An event of a newer program, which may change anything: while there is one, nothing is decided. */
  get obstacle(): UnreadableEvent | undefined {
    return this.#unreadable.newer;
  }

  /** Whether an operator has decided to skip an event. */
  isSkipped(record: Pick<RecordedEvent, 'stream' | 'id' | 'revision'>): boolean {
    return this.#skips.has(record);
  }

  /** The present state of a stream. @throws LogFailure; Refusal notReady because of an event that cannot be read */
  load<State, Event extends DomainEvent>(stream: AggregateStream<State, Event>): Promise<Snapshot<State>> {
    if (this.obstacle) return Promise.reject(new Refusal('notReady', unreadableText));
    // A state in memory is loaded several times for each message: all get the same promise.
    return this.#entry(stream).folded;
  }

  /** The state of a stream if it is in memory. */
  peek<State, Event extends DomainEvent>(stream: AggregateStream<State, Event>): State | undefined {
    // Of this type, as in #entry.
    const entry = this.#entries.peek(stream.name) as StreamEntry<State> | undefined;
    return entry && !entry.arrived ? entry.state : undefined;
  }

  /**
   * Applies events that were just appended at the end of a stream.
   * @param last the revision and position of the last of them
   * @param time when they happened, in milliseconds since 1970
   */
  appended(
    stream: StreamName,
    events: readonly DomainEvent[],
    ids: readonly EventId[],
    last: Pick<PositionedEvent, 'revision' | 'position'>,
    time: number,
  ): void {
    const entry = this.#entries.get(stream);
    if (!entry) return;
    const { position } = last;
    events.forEach((event, index) => {
      const id = ids[index];
      if (!id) throw new TypeError('an event was appended without an id');
      const revision = last.revision - events.length + 1 + index;
      this.#update(stream, entry, { ...event, id, revision, position, metadata: { time } });
    });
  }

  /** Applies what others appended after `revision`, after a decision on it had a conflict. @throws LogFailure */
  async catchUp(stream: StreamName, revision: number): Promise<void> {
    const entry = this.#entries.get(stream);
    if (!entry || entry.arrived || entry.revision > revision) return;
    try {
      for await (const record of this.#log.readStream(stream, { from: revision + 1 })) {
        this.#update(stream, entry, this.#folder.read(record));
      }
    } catch (error) {
      // The next fold finds an unreadable event as well, and reports it.
      this.forget(stream);
      if (!(error instanceof UnreadableEvent)) throw error;
    }
    if (entry.revision <= revision) this.forget(stream);
  }

  /** Forgets a state that turned out to be wrong; the next load folds the stream again. */
  forget(stream: StreamName): void {
    this.#entries.delete(stream);
  }

  #entry<State, Event extends DomainEvent>({
    name,
    aggregate,
  }: AggregateStream<State, Event>): StreamEntry<State> {
    // The streams of one name always come with the same aggregate, so its state is of this type.
    const known = this.#entries.get(name) as StreamEntry<State> | undefined;
    if (known) return known;
    const fold = new StreamFold(aggregate, this.#log.remembersIds, this.#skips.countOf(name));
    const entry: StreamEntry<State> = Object.assign(fold, {
      arrived: [],
      folded: Promise.resolve()
        .then(() => this.#fold(name, entry))
        .then(() => entry),
    });
    this.#entries.set(name, entry);
    return entry;
  }

  async #fold(name: StreamName, entry: StreamEntry): Promise<void> {
    try {
      await this.#folder.fold(name, entry);
      if (this.#entries.peek(name) === entry) this.#weighAgain(name, entry);
      this.#snapshots.writeIfDue(name, entry);
    } catch (error) {
      if (this.#entries.peek(name) === entry) this.#entries.delete(name);
      if (!(error instanceof UnreadableEvent)) throw error;
      this.#report(error);
      throw new Refusal('notReady', unreadableText);
    }
  }

  #report(error: UnreadableEvent): void {
    if (!this.#skips.has(error.event) && this.#unreadable.add(error)) this.#onFailure(error);
  }

  /** Makes everything again for a log that has changed. @throws LogFailure, LogChanged */
  async #restart(): Promise<void> {
    this.#skips = new Skips(this.#log);
    await this.#skips.refresh();
    this.#unreadable.clear();
    this.#entries.clear();
  }

  /** Events without a state in memory are read as well, since one of a newer program stops all decisions. */
  #apply(record: RecordedEvent): void {
    this.#onRecord(record);
    const skipped = this.#skips.apply(record);
    if (skipped) {
      this.#unreadable.deleteSkipped(this.#skips);
      this.forget(skipped.stream);
      this.#snapshots.delete(skipped.stream);
      return;
    }
    try {
      const event = this.#folder.read(record);
      const entry = this.#entries.peek(record.stream);
      if (entry) this.#update(record.stream, entry, event);
    } catch (error) {
      if (!(error instanceof UnreadableEvent)) throw error;
      this.forget(record.stream);
      this.#report(error);
    }
  }

  #update(stream: StreamName, entry: StreamEntry, event: PositionedEvent | SkippedRevision): void {
    if (entry.arrived) entry.arrived.push(event);
    else if (event.revision > entry.revision + 1) this.#entries.delete(stream);
    else if (event.revision === entry.revision + 1) {
      const before = entry.weight;
      entry.fold(event);
      if (entry.weight !== before) this.#weighAgain(stream, entry);
      this.#snapshots.writeIfDue(stream, entry);
    }
  }

  /** Inserts an entry again: the cache keeps the weight of an entry that is set in place. */
  #weighAgain(stream: StreamName, entry: StreamEntry): void {
    this.#entries.delete(stream);
    this.#entries.set(stream, entry);
  }
}
