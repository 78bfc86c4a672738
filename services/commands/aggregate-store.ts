import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { Refusal } from '../../contracts/codes.ts';
import type { DomainEvent } from '../../contracts/events/index.ts';
import type { Aggregate, AggregateStream } from '../domain/aggregate.ts';
import { tryDecode, UnreadableEvent } from '../log/codec.ts';
import { LogChanged, StrangeLog } from '../log/identity.ts';
import {
  type EventId,
  type EventLog,
  LogFailure,
  type Position,
  type RecordedEvent,
  type StreamName,
  startOfLog,
} from '../log/log.ts';
import { Skips, skipStream } from '../log/skips.ts';
import { type Folded, fold, type PassedOver, type Placed, weightOf } from './folded.ts';
import { eventsBetweenSnapshots, SnapshotKeeping } from './snapshot-keeping.ts';
import type { Snapshots } from './snapshots.ts';
import { Turns } from './turns.ts';
import { UnreadableEvents, unreadableText } from './unreadable-events.ts';

/** A state and how far it was folded. `revision` -1: the stream has no events yet. */
export interface Snapshot<State> {
  readonly state: State;
  readonly revision: number;
  /** Where the last folded event lies in the log; `startOfLog` where there is none. */
  readonly position: Position;
}

interface Entry extends Folded {
  /** What came while the stream was being read; null once it is folded. */
  arrived: (Placed | PassedOver)[] | null;
  readonly folded: Promise<void>;
}

/** The streams of which states are kept. */
const prefixes = ['user-', 'friendship-', 'group-', 'reply-', 'setting', 'allowance-', skipStream];

/** Between two questions where a log ends that does not answer. */
const retryMilliseconds = 200;

/** So much is kept, in the aggregates' own weights. */
const ordinaryMemory = 100_000;

interface AggregateStoreOptions {
  readonly memory?: number | undefined;
  readonly snapshots?: Snapshots;
  readonly hear?: (record: RecordedEvent) => void;
}

/**
 * The states that commands decide on: folded once, kept in bounded memory, kept fresh by the log's
 * tail. What this process appends is seen at once, what others append within the tail's delay.
 */
export class AggregateStore {
  /** Whose turn it is to change a stream. */
  readonly turns = new Turns();
  readonly #log: EventLog;
  readonly #stop = new AbortController();
  readonly #entries: LRUCache<StreamName, Entry>;
  readonly #onFailure: (error: unknown) => void;
  readonly #snapshots: SnapshotKeeping;
  readonly #hearRecord: (record: RecordedEvent) => void;
  #skips: Skips;
  readonly #unreadable = new UnreadableEvents();
  #tailing: Promise<void> = Promise.resolve();
  readonly #unlisten: () => void;

  /**
   * `onFailure` hears of each UnreadableEvent that is met, after which the program can go on, and of any
   * other error that ends the following: states go stale then, so the process must end.
   * `memory` bounds what is kept, in the aggregates' weights. Without `snapshots` all is folded from the
   * beginning. `hear` is called with every event that others or this process append to these streams.
   */
  constructor(
    log: EventLog,
    onFailure: (error: unknown) => void,
    { memory = ordinaryMemory, snapshots, hear = () => undefined }: AggregateStoreOptions = {},
  ) {
    this.#log = log;
    this.#onFailure = onFailure;
    this.#snapshots = new SnapshotKeeping(log, snapshots);
    this.#hearRecord = hear;
    this.#skips = new Skips(log);
    this.#entries = new LRUCache({ maxSize: memory, sizeCalculation: (entry: Entry) => weightOf(entry) });
    this.#unlisten = log.onChanged(() => this.#entries.clear());
  }

  /** Begins to follow the log. Nothing may be loaded before this has resolved. */
  async start(): Promise<void> {
    const after = await this.#log.end();
    await this.#skips.refresh();
    this.#tailing = this.#follow(after);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#unlisten();
    await this.#tailing;
    await this.#snapshots.settled();
  }

  /** Why nothing is decided: an event of a newer program, of which nobody here knows what it changes. */
  get obstacle(): UnreadableEvent | undefined {
    return this.#unreadable.newer;
  }

  /** Whether an operator has decided that an event is passed over. */
  passesOver(record: Pick<RecordedEvent, 'stream' | 'id'>): boolean {
    return this.#skips.has(record);
  }

  /** The state of a stream as of now. @throws LogFailure; Refusal notReady because of an event that cannot be read */
  async load<State, Event extends DomainEvent>(
    stream: AggregateStream<State, Event>,
  ): Promise<Snapshot<State>> {
    if (this.obstacle) throw new Refusal('notReady', unreadableText);
    const entry = this.#entry(stream);
    if (entry.arrived) await entry.folded;
    // An entry is made by #entry alone, under the name of a stream whose aggregate has this state.
    return entry as Snapshot<unknown> as Snapshot<State>;
  }

  /** The state of a stream if it is at hand. */
  peek<State, Event extends DomainEvent>(stream: AggregateStream<State, Event>): State | undefined {
    const entry = this.#entries.peek(stream.name);
    return entry && !entry.arrived ? (entry as Snapshot<unknown> as Snapshot<State>).state : undefined;
  }

  /**
   * Takes in events that were just appended at the end of a stream, with where the last of them lies, and
   * when they happened, in milliseconds since 1970.
   */
  appended(
    stream: StreamName,
    events: readonly DomainEvent[],
    ids: readonly EventId[],
    last: Pick<Placed, 'revision' | 'position'>,
    time: number,
  ): void {
    const entry = this.#entries.get(stream);
    if (!entry) return;
    const { position } = last;
    events.forEach((event, index) => {
      const id = ids[index];
      if (!id) throw new TypeError('an event was appended without an id');
      const revision = last.revision - events.length + 1 + index;
      this.#take(stream, entry, { ...event, id, revision, position, metadata: { time } });
    });
  }

  /**
   * Takes in what others appended after `revision`, on which a decision came too late; without folding all
   * of the stream anew, as long as the log has more than that.
   */
  async catchUp(stream: StreamName, revision: number): Promise<void> {
    const entry = this.#entries.get(stream);
    if (!entry || entry.arrived || entry.revision > revision) return;
    try {
      for await (const record of this.#log.readStream(stream, { from: revision + 1 })) {
        this.#take(stream, entry, this.#read(record));
      }
    } catch (error) {
      // Folding anew meets it as well, and tells of it.
      this.forget(stream);
      if (!(error instanceof UnreadableEvent)) throw error;
    }
    if (entry.revision <= revision) this.forget(stream);
  }

  /** Forgets a state that turned out to be behind; the next load folds anew. */
  forget(stream: StreamName): void {
    this.#entries.delete(stream);
  }

  #entry<State, Event extends DomainEvent>({ name, aggregate }: AggregateStream<State, Event>): Entry {
    const known = this.#entries.get(name);
    if (known) return known;
    const entry: Entry = {
      // The streams of one name always come with the same aggregate.
      aggregate: aggregate as unknown as Aggregate<unknown>,
      state: aggregate.initial(),
      revision: -1,
      position: startOfLog,
      arrived: [],
      lastId: undefined,
      kept: -1,
      skipped: this.#skips.countOf(name),
      folded: Promise.resolve().then(() => this.#fold(name, entry)),
      seen: this.#log.remembersIds === 'forever' ? null : new Set(),
    };
    this.#entries.set(name, entry);
    return entry;
  }

  async #fold(name: StreamName, entry: Entry): Promise<void> {
    try {
      do {
        await this.#foldRest(name, entry);
      } while (!this.#takeArrived(entry));
      if (this.#entries.peek(name) === entry) this.#keep(name, entry);
      this.#snapshots.keep(name, entry);
    } catch (error) {
      if (this.#entries.peek(name) === entry) this.#entries.delete(name);
      if (!(error instanceof UnreadableEvent)) throw error;
      this.#meet(error);
      throw new Refusal('notReady', unreadableText);
    }
  }

  /** Reads on to the end of the stream; from the last snapshot, if there are many events before it. */
  async #foldRest(name: StreamName, entry: Entry): Promise<void> {
    let count = 0;
    for await (const record of this.#log.readStream(name, { from: entry.revision + 1 })) {
      fold(entry, this.#read(record));
      count++;
      if (count === eventsBetweenSnapshots && (await this.#snapshots.take(name, entry))) {
        return this.#foldRest(name, entry);
      }
    }
  }

  /** @throws UnreadableEvent */
  #read(record: RecordedEvent): Placed | PassedOver {
    const { revision, position } = record;
    if (this.#skips.has(record)) return { type: 'passed over', revision, position };
    const event = tryDecode(record);
    if (event instanceof UnreadableEvent) throw event;
    return event;
  }

  #meet(error: UnreadableEvent): void {
    if (!this.#skips.has(error.event) && this.#unreadable.meet(error)) this.#onFailure(error);
  }

  /** Goes on with what came during the reading; false where something before it was not read yet. */
  #takeArrived(entry: Entry): boolean {
    // What this process appends comes before what others appended earlier.
    const arrived = (entry.arrived ?? []).sort((one, other) => one.revision - other.revision);
    for (const event of arrived) {
      if (event.revision > entry.revision + 1) return false;
      fold(entry, event);
    }
    entry.arrived = null;
    return true;
  }

  async #follow(after: Position): Promise<void> {
    const { signal } = this.#stop;
    let from = after;
    while (!signal.aborted) {
      try {
        for await (const batch of this.#log.subscribe({ after: from, prefixes, signal })) {
          for (const record of batch) this.#hear(record);
          from = batch.at(-1)?.position ?? from;
        }
      } catch (error) {
        this.#entries.clear();
        if (error instanceof LogChanged) {
          from = await this.#presentEnd(from);
        } else if (error instanceof StrangeLog) {
          // Ours may come back. Nothing is appended to this one.
          await delay(retryMilliseconds, undefined, { signal }).catch(() => undefined);
        } else {
          this.#onFailure(error);
          return;
        }
      }
    }
  }

  /** Where the log ends once it answers. What was read before may not be in it, and goes. */
  async #presentEnd(otherwise: Position): Promise<Position> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        const end = await this.#log.end();
        this.#skips = new Skips(this.#log);
        await this.#skips.refresh();
        this.#unreadable.clear();
        this.#entries.clear();
        return end;
      } catch (error) {
        if (!(error instanceof LogFailure || error instanceof LogChanged)) throw error;
        await delay(retryMilliseconds, undefined, { signal }).catch(() => undefined);
      }
    }
    return otherwise;
  }

  /** Also what belongs to no state at hand is read: what is newer than this program may change what it decides. */
  #hear(record: RecordedEvent): void {
    this.#hearRecord(record);
    const decided = this.#skips.take(record);
    if (decided) {
      this.#unreadable.forget(decided.id);
      this.forget(decided.stream);
      this.#snapshots.drop(decided.stream);
      return;
    }
    try {
      const event = this.#read(record);
      const entry = this.#entries.peek(record.stream);
      if (entry) this.#take(record.stream, entry, event);
    } catch (error) {
      if (!(error instanceof UnreadableEvent)) throw error;
      this.forget(record.stream);
      this.#meet(error);
    }
  }

  #take(stream: StreamName, entry: Entry, event: Placed | PassedOver): void {
    if (entry.arrived) entry.arrived.push(event);
    else if (event.revision > entry.revision + 1) this.#entries.delete(stream);
    else if (event.revision === entry.revision + 1) {
      const before = weightOf(entry);
      fold(entry, event);
      if (weightOf(entry) !== before) this.#keep(stream, entry);
      this.#snapshots.keep(stream, entry);
    }
  }

  /** Puts an entry where it is weighed: what is set in its own place keeps the weight that it had. */
  #keep(stream: StreamName, entry: Entry): void {
    this.#entries.delete(stream);
    this.#entries.set(stream, entry);
  }
}
