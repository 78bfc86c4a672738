import type { Client } from 'pg';
import type { DomainEvent } from '../../contracts/events/index.ts';
import type { PushRow } from '../../contracts/push/row.ts';
import type { Tick } from '../../services/bus/bus.ts';
import { advance } from '../../services/followers/checkpoint.ts';
import type { Held } from '../../services/followers/lease.ts';
import type { Decoded } from '../../services/log/codec.ts';
import type { Position } from '../../services/log/log.ts';
import { pipeline } from '../../services/postgres/pipeline.ts';
import { sqlState } from '../../services/postgres/sql-state.ts';
import { isMidTwice, underAnotherMid } from '../mid-twice.ts';
import type { Projection } from '../projection.ts';
import { RowStore } from '../store/row-store.ts';
import { noPushes, PushBook, writePushes } from './push-book.ts';

/** An event that a projection cannot apply. No projector goes past it, unless an operator skips it. */
export class ProjectionFault extends Error {
  override readonly name = 'ProjectionFault';
  readonly event: Decoded;

  constructor(event: Decoded, cause: unknown) {
    const { type, stream, revision } = event;
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`event ${type} at ${stream}@${revision} cannot be projected: ${why}`, { cause });
    this.event = event;
  }
}

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
  readonly projections: ReadonlyMap<string, Projection<DomainEvent>>;
  /** The follower's name. */
  readonly name: string;
  readonly held: Held;
  /** Events after this position push. Undefined: none does. */
  readonly pushesAfter: Position | undefined;
  /** How many events a transaction may hold, if fewer than its reads and writes allow. */
  readonly maxEvents?: number | undefined;
}

/** A transaction ends once it reads or writes this many rows: a thousand people may join a group in one event. */
const maxReads = 10_000;
const maxWrites = 10_000;

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

  constructor(options: BatchProjectorOptions) {
    this.#options = options;
    this.#position = options.held.position;
    this.#batch = options.held.batch;
  }

  /**
   * Applies events, in the order of the log, strictly after all before. Calls `committed` for each transaction.
   * @throws ProjectionFault, with all events before the one it names applied; the error of Postgres
   *   or of the connection, after which the checkpoint says how far it came
   */
  async apply(events: readonly Decoded[], committed: (batch: Committed) => void): Promise<void> {
    for (let rest = events; rest.length > 0; ) {
      let applied: Committed;
      try {
        applied = await this.#transact(rest);
      } catch (error) {
        this.#store = new RowStore();
        await this.#applySound(rest, error, committed);
        return;
      }
      committed(applied);
      rest = rest.slice(applied.count);
    }
  }

  /** Applies the events before the one that causes an error, and throws. */
  async #applySound(events: readonly Decoded[], error: unknown, committed: (batch: Committed) => void) {
    if (error instanceof ProjectionFault) {
      await this.apply(events.slice(0, events.indexOf(error.event)), committed);
      throw error;
    }
    if (!isCausedByData(error)) throw error;
    const [first, ...others] = events;
    if (first && others.length === 0) {
      const shown = isMidTwice(error) ? underAnotherMid(first) : undefined;
      if (!shown) throw new ProjectionFault(first, error);
      await this.apply([shown], committed);
      return;
    }
    // One by one, until it is found.
    for (const event of events) await this.apply([event], committed);
  }

  /** Applies as many of the first events as one transaction should hold. */
  async #transact(events: readonly Decoded[]): Promise<Committed> {
    const store = this.#store;
    const { client, name, held, pushesAfter } = this.#options;
    const pushes = pushesAfter === undefined ? undefined : new PushBook(held.epoch, pushesAfter);
    const plans = this.#plans(events);
    await this.#load(plans.flatMap(({ refs }) => refs));
    let count = 0;
    let last: Decoded | undefined;
    for (const { event, projection, refs } of plans) {
      try {
        store.open(refs);
        pushes?.open(event.position);
        projection.apply(event, store, pushes ?? noPushes);
      } catch (error) {
        throw new ProjectionFault(event, error);
      }
      count++;
      last = event;
      if (store.changes + (pushes?.rows.length ?? 0) >= maxWrites) break;
    }
    if (last === undefined) throw new RangeError('a batch without events');
    const { position: to, id, metadata } = last;
    const batch = this.#batch + 1;
    const { fence } = held;
    await pipeline(client, [
      advance({ name, fence, from: this.#position, to, id, batch }),
      ...store.writes(),
      ...(pushes ? writePushes(pushes, batch) : []),
    ]);
    store.written();
    this.#position = to;
    this.#batch = batch;
    const tick = { checkpoint: to, fence, batch, time: metadata.time };
    return { tick, rows: pushes?.rows ?? [], count };
  }

  /** What is to be done with the first events, and what must be read for them. */
  #plans(events: readonly Decoded[]) {
    const { maxEvents, projections } = this.#options;
    const plans = [];
    let reads = 0;
    for (const event of events.slice(0, maxEvents)) {
      try {
        const projection = projections.get(event.type);
        if (!projection) throw new TypeError('nothing projects its type');
        const refs = projection.reads(event);
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
    const results = await pipeline(
      this.#options.client,
      loads.map(({ statement }) => statement),
    );
    loads.forEach(({ keep }, index) => {
      keep(results[index] ?? []);
    });
  }
}

/**
 * Whether an error is caused by what was to be written, so that trying again is of no use: Postgres found data
 * broken (class 22) or rules violated (23), or the values could not be sent.
 */
function isCausedByData(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined ? error instanceof TypeError : /^2[23]/.test(state);
}
