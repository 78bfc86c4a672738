import type { PushRow } from '../../../contracts/push/row.ts';
import type { Tick } from '../../bus/bus.ts';

/** One committed batch, as the bus announced it. */
export interface Batch {
  readonly tick: Tick;
  readonly rows: readonly PushRow[];
}

/** More rows are not kept: they are read from the database as well. */
const maxRows = 10_000;

/** Batches that came while missed pushes were being read. */
export class BatchQueue {
  #batches: Batch[] = [];
  #rows = 0;

  /** Adds a batch. @returns false if the queue was full; it is empty then */
  add(batch: Batch): boolean {
    this.#batches.push(batch);
    this.#rows += batch.rows.length;
    if (this.#rows <= maxRows) return true;
    this.clear();
    return false;
  }

  /** Removes the oldest batch; undefined if there is none. */
  shift(): Batch | undefined {
    const batch = this.#batches.shift();
    this.#rows -= batch?.rows.length ?? 0;
    return batch;
  }

  clear(): void {
    this.#batches = [];
    this.#rows = 0;
  }
}
