import type { Client } from 'pg';
import type { DomainEvent } from '../../contracts/events/index.ts';
import type { PushRow } from '../../contracts/push/row.ts';
import type { Tick } from '../../services/bus/bus.ts';
import type { Decoded } from '../../services/log/codec.ts';
import type { Position } from '../../services/log/log.ts';
import { pipeline, type Statement } from '../../services/postgres/pipeline.ts';
import { isMidTwice, underAnotherMid } from '../mid-twice.ts';
import type { Projection } from '../projection.ts';
import { RowStore } from '../store/row-store.ts';
import type { Held } from './lease.ts';
import { PushBook, writePushes } from './push-book.ts';

/** An event that a projection cannot take in. Nobody projects past it, unless an operator decides so. */
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

/** What a committed batch is told as. */
export interface Committed {
  readonly tick: Tick;
  readonly rows: readonly PushRow[];
  /** How many events it held. */
  readonly count: number;
}

/** A transaction ends once it reads or writes so many rows: a thousand may join a group in one event. */
const mostReads = 10_000;
const mostWrites = 10_000;

/**
 * Applies events to the read models, batch by batch: rows, pushes and checkpoint in one transaction and, if all
 * rows are in memory, in one round trip (docs/architecture.md, Why the read models are never ahead of the log).
 * After it has thrown, its memory may differ from the tables: make another one from the checkpoint.
 */
export class BatchProjector {
  readonly #client: Client;
  readonly #projections: ReadonlyMap<string, Projection<DomainEvent>>;
  readonly #held: Held;
  #position: Position;
  #batch: number;
  #store = new RowStore();

  constructor(client: Client, projections: ReadonlyMap<string, Projection<DomainEvent>>, held: Held) {
    this.#client = client;
    this.#projections = projections;
    this.#held = held;
    this.#position = held.position;
    this.#batch = held.batch;
  }

  /**
   * Takes in events, in the order of the log, strictly after all before. Calls `committed` for each
   * transaction.
   * @throws ProjectionFault, with all events before the one it names taken in; the error of Postgres
   *   or of the connection, after which the checkpoint says how far it came
   */
  async take(events: readonly Decoded[], committed: (batch: Committed) => void): Promise<void> {
    for (let rest = events; rest.length > 0; ) {
      let taken: Committed;
      try {
        taken = await this.#transact(rest);
      } catch (error) {
        this.#store = new RowStore();
        await this.#takeSound(rest, error, committed);
        return;
      }
      committed(taken);
      rest = rest.slice(taken.count);
    }
  }

  /** Takes in what stands before the event that is to blame for an error, and throws. */
  async #takeSound(events: readonly Decoded[], error: unknown, committed: (batch: Committed) => void) {
    if (error instanceof ProjectionFault) {
      await this.take(events.slice(0, events.indexOf(error.event)), committed);
      throw error;
    }
    if (!blamesData(error)) throw error;
    const [first, ...others] = events;
    if (first && others.length === 0) {
      const shown = isMidTwice(error) ? underAnotherMid(first) : undefined;
      if (!shown) throw new ProjectionFault(first, error);
      await this.take([shown], committed);
      return;
    }
    // One by one, until it is found.
    for (const event of events) await this.take([event], committed);
  }

  /** Takes in as many of the first events as one transaction should hold. */
  async #transact(events: readonly Decoded[]): Promise<Committed> {
    const store = this.#store;
    const pushes = new PushBook(this.#held.epoch, this.#held.quietUntil);
    const plans = this.#plans(events);
    await this.#load(plans.flatMap(({ refs }) => refs));
    let count = 0;
    let reached = this.#position;
    let reachedId: string | null = null;
    for (const { event, projection, refs } of plans) {
      try {
        store.open(refs);
        pushes.open(event.position);
        projection.apply(event, store, pushes);
      } catch (error) {
        throw new ProjectionFault(event, error);
      }
      count++;
      reached = event.position;
      reachedId = event.id;
      if (store.changes + pushes.rows.length >= mostWrites) break;
    }
    const batch = this.#batch + 1;
    const { fence } = this.#held;
    const statements: Statement[] = [
      {
        name: 'advance',
        text: 'select read.advance($1, $2, $3, $4, $5)',
        values: [this.#position, fence, reached, reachedId, batch],
      },
      ...store.writes(),
    ];
    statements.push(...writePushes(pushes, batch));
    await pipeline(this.#client, statements);
    store.written();
    this.#position = reached;
    this.#batch = batch;
    return { tick: { checkpoint: reached, fence, batch }, rows: pushes.rows, count };
  }

  /** What is to be done with the first events, and what must be read for them. */
  #plans(events: readonly Decoded[]) {
    const plans = [];
    let reads = 0;
    for (const event of events) {
      try {
        const projection = this.#projections.get(event.type);
        if (!projection) throw new TypeError('nothing projects its type');
        const refs = projection.reads(event);
        plans.push({ event, projection, refs });
        reads += refs.length;
      } catch (error) {
        throw new ProjectionFault(event, error);
      }
      if (reads >= mostReads) break;
    }
    return plans;
  }

  async #load(refs: Parameters<RowStore['missing']>[0]): Promise<void> {
    const loads = this.#store.missing(refs);
    if (loads.length === 0) return;
    const results = await pipeline(
      this.#client,
      loads.map(({ statement }) => statement),
    );
    loads.forEach(({ take }, index) => {
      take(results[index] ?? []);
    });
  }
}

/** The SQLSTATE of an error of Postgres. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/**
 * Whether what was to be written is to blame, so that trying again is of no use: Postgres found data
 * broken (class 22) or rules violated (23), or the values could not be sent.
 */
function blamesData(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined ? error instanceof TypeError : /^2[23]/.test(state);
}
