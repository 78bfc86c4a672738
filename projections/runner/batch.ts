import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Client } from 'pg';
import type { DomainEvent } from '../../contracts/events/index.ts';
import type { PushRow } from '../../contracts/push/row.ts';
import type { Tick } from '../../services/bus/bus.ts';
import { advance } from '../../services/followers/checkpoint.ts';
import type { Held } from '../../services/followers/lease.ts';
import type { Decoded } from '../../services/log/codec.ts';
import type { Position } from '../../services/log/log.ts';
import { projections as traced } from '../../services/measurements.ts';
import { pipeline } from '../../services/postgres/pipeline.ts';
import { isMidTwice, underAnotherMid } from '../mid-twice.ts';
import type { Projection } from '../projection.ts';
import { RowStore } from '../store/row-store.ts';
import { isCausedByData, ProjectionFault } from './projection-fault.ts';
import { noPushes, PushBook, type PushOptions, writePushes } from './push-book.ts';

/** A committed batch, as it is announced. */
export interface Committed {
  readonly tick: Tick;
  readonly rows: readonly PushRow[];
  /** How many events it held. */
  readonly count: number;
}

export interface BatchProjectorOptions {
  /** The connection that it commits over. Its search_path is the schema of the read models. */
  readonly client: Client;
  /**
   * Another connection like it, to read over: the next events are then applied in memory while a transaction is under
   * way. Without it, each transaction is waited for.
   */
  readonly reader?: Client | undefined;
  readonly projections: ReadonlyMap<string, Projection<DomainEvent>>;
  /** The follower's name. */
  readonly name: string;
  readonly held: Held;
  /** Undefined: nothing is pushed. */
  readonly pushes: Omit<PushOptions, 'epoch'> | undefined;
  /** How many events a transaction may hold, if fewer than its reads and writes allow. */
  readonly maxEvents?: number | undefined;
  /** A transaction ends once it reads or writes this many rows: a thousand people may join a group in one event. */
  readonly maxReads?: number;
}

const defaultMaxReads = 10_000;
/** How many events are applied in memory in one turn of the event loop: a few milliseconds. */
const eventsOfTurn = 200;
const maxWrites = 10_000;

/** Events that are applied in memory. */
interface Batch {
  readonly events: readonly Decoded[];
  readonly pushes: PushBook | undefined;
}

/** A transaction that is under way. */
interface UnderWay {
  readonly events: readonly Decoded[];
  readonly result: Promise<Committed>;
  readonly committed: (batch: Committed) => void;
}

/**
 * Applies events to the read models, batch by batch: rows, pushes and checkpoint in one transaction and, if all
 * rows are in memory, in one round trip (docs/architecture.md, Why the read models are never ahead of the log).
 * After it has thrown, its memory may differ from the tables: make another one from the checkpoint.
 */
export class BatchProjector {
  readonly #options: BatchProjectorOptions;
  #position: Position;
  #batch: number;
  #store = new RowStore();
  #underWay: UnderWay | undefined;

  constructor(options: BatchProjectorOptions) {
    this.#options = options;
    this.#position = options.held.position;
    this.#batch = options.held.batch;
  }

  /**
   * Applies events, in the order of the log, strictly after all before. Calls `committed` for each transaction. With
   * a `reader` the last transaction may still be under way when this returns: `finish` waits for it.
   * @throws ProjectionFault, with all events before the one it names applied; the error of Postgres
   *   or of the connection, after which the checkpoint says how far it came
   */
  async apply(events: readonly Decoded[], committed: (batch: Committed) => void): Promise<void> {
    let rest = events;
    try {
      while (rest.length > 0) {
        const batch = await this.#project(rest);
        await this.#settle();
        this.#send(batch, committed);
        rest = rest.slice(batch.events.length);
        if (!this.#options.reader) await this.#settle();
      }
    } catch (error) {
      await this.#recover(rest, error, committed);
    }
  }

  /** Waits until all that was applied is committed. @throws as `apply` */
  async finish(): Promise<void> {
    const underWay = this.#underWay;
    try {
      await this.#settle();
    } catch (error) {
      if (underWay) await this.#recover([], error, underWay.committed);
    }
  }

  /** Applies the sound ones of the events that are not committed, and throws what the others cause. */
  async #recover(rest: readonly Decoded[], error: unknown, committed: (batch: Committed) => void) {
    const before = this.#underWay?.events ?? [];
    let [events, cause] = [rest, error];
    try {
      await this.#settle();
    } catch (first) {
      [events, cause] = [[...before, ...rest], first];
    }
    this.#underWay = undefined;
    this.#store = new RowStore();
    await this.#applySound(events, cause, committed);
  }

  /** Applies the events before the one that causes an error, and throws. */
  async #applySound(events: readonly Decoded[], error: unknown, committed: (batch: Committed) => void) {
    const apply = async (some: readonly Decoded[]) => {
      await this.apply(some, committed);
      await this.finish();
    };
    if (error instanceof ProjectionFault) {
      await apply(events.slice(0, events.indexOf(error.event)));
      throw error;
    }
    if (!isCausedByData(error)) throw error;
    const [first, ...others] = events;
    if (first && others.length === 0) {
      const shown = isMidTwice(error) ? underAnotherMid(first) : undefined;
      if (!shown) throw new ProjectionFault(first, error);
      await apply([shown]);
      return;
    }
    // By halves, until it is found.
    const middle = Math.ceil(events.length / 2);
    await apply(events.slice(0, middle));
    await apply(events.slice(middle));
  }

  /** Applies in memory as many of the first events as one transaction should hold. */
  async #project(events: readonly Decoded[]): Promise<Batch> {
    const store = this.#store;
    const { held, reader } = this.#options;
    const pushes = this.#options.pushes && new PushBook({ ...this.#options.pushes, epoch: held.epoch });
    const plans = this.#plans(events);
    await this.#load(plans.flatMap(({ refs }) => refs));
    let count = 0;
    for (const { event, projection, refs } of plans) {
      // What is being sent to the database goes on only between two turns.
      if (reader && count % eventsOfTurn === 0) await nextTurn();
      try {
        store.open(refs);
        pushes?.open(event.position, traced.wanted ? event.metadata.$correlationId : undefined);
        projection.apply(event, store, pushes ?? noPushes);
      } catch (error) {
        throw new ProjectionFault(event, error);
      }
      count++;
      if (store.changes + (pushes?.rows.length ?? 0) >= maxWrites) break;
    }
    return { events: events.slice(0, count), pushes };
  }

  /** Begins the transaction of a batch. None may be under way. */
  #send({ events, pushes }: Batch, committed: (batch: Committed) => void): void {
    const last = events.at(-1);
    if (last === undefined) throw new RangeError('a batch without events');
    const { client, held, name } = this.#options;
    const { position: to, id, metadata } = last;
    const batch = this.#batch + 1;
    const { fence } = held;
    const statements = [
      advance({ name, fence, from: this.#position, to, id, batch }),
      ...this.#store.writes(),
      ...(pushes ? writePushes(pushes, batch) : []),
    ];
    const tick = { checkpoint: to, fence, batch, time: metadata.time };
    const result = pipeline(client, statements).then(() => ({
      ...{ tick, rows: pushes?.rows ?? [], count: events.length },
    }));
    // It is awaited later; until then its failure must not count as unhandled.
    result.catch(() => undefined);
    this.#underWay = { events, result, committed };
  }

  /** Waits for the transaction under way. If it failed, it stays under way. */
  async #settle(): Promise<void> {
    if (!this.#underWay) return;
    const { result, committed } = this.#underWay;
    const batch = await result;
    this.#underWay = undefined;
    this.#store.written();
    this.#position = batch.tick.checkpoint;
    this.#batch = batch.tick.batch;
    committed(batch);
  }

  /** What is to be done with the first events, and what must be read for them. */
  #plans(events: readonly Decoded[]) {
    const { maxEvents, maxReads = defaultMaxReads, projections, pushes } = this.#options;
    const plans = [];
    let reads = 0;
    for (const event of events.slice(0, maxEvents)) {
      try {
        const projection = projections.get(event.type);
        if (!projection) throw new TypeError('nothing projects its type');
        const pushReads = pushes === undefined ? undefined : projection.pushReads?.(event);
        const refs = pushReads ? [...projection.reads(event), ...pushReads] : projection.reads(event);
        plans.push({ event, projection, refs });
        reads += refs.length;
      } catch (error) {
        throw new ProjectionFault(event, error);
      }
      if (reads >= maxReads) break;
    }
    return plans;
  }

  async #load(refs: Parameters<RowStore['missing']>[0]): Promise<void> {
    const loads = this.#store.missing(refs);
    if (loads.length === 0) return;
    const { client, reader = client } = this.#options;
    const results = await pipeline(
      reader,
      loads.map(({ statement }) => statement),
    );
    loads.forEach(({ keep }, index) => {
      keep(results[index] ?? []);
    });
  }
}
