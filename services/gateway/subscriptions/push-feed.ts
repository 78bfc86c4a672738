import type { Logger } from 'pino';
import { globalChannel } from '../../../contracts/push/index.ts';
import { afterAll, comparePositions, type PushCursor } from '../../../contracts/push/position.ts';
import type { PushRow } from '../../../contracts/push/row.ts';
import type { Bus, Tick } from '../../bus/bus.ts';
import { busGaps, deliveries, pushes } from '../../measurements.ts';
import type { PushStore } from '../../pushes/push-store.ts';
import { type Batch, BatchQueue } from './batch-queue.ts';
import { PositionWaiters } from './position-waiters.ts';
import type { PushFeedReader } from './push-feed-reader.ts';
import { ReferenceCountedListeners } from './reference-counted-listeners.ts';

const pageRows = 1_000;
/** After this time without a tick the checkpoint is read: the bus may have lost the latest tick. */
const silenceTimeoutMs = 1_000;
const retryDelayMs = 250;

/**
 * The pushes of the log on the feeds that this gateway needs, in order: batch by batch from the bus. If the batches'
 * numbers show a gap, or if the bus reconnected or is silent, the missed rows are read from `pushes.push`.
 */
export class PushFeed {
  /** The feeds to which this gateway listens. */
  readonly feeds: ReferenceCountedListeners;
  readonly #bus: Bus;
  readonly #pushStore: PushStore;
  readonly #logger: Logger;
  readonly #stops: (() => void)[] = [];
  readonly #queue = new BatchQueue();
  readonly #waiters = new PositionWaiters();
  #reader: PushFeedReader | undefined;
  /** All rows up to this position were delivered; it is that of this batch. */
  #position = '';
  #batch = -1;
  #fence = -1;
  #epoch: string | undefined;
  /** Rows of the batch whose tick has not come yet. */
  #rows: PushRow[] = [];
  #catchingUp = false;
  #catchUpAgain = false;
  #catchingUpSince: number | undefined;
  #tickAt = performance.now();
  #stopped = false;

  constructor(options: { bus: Bus; pushStore: PushStore; logger: Logger }) {
    this.#bus = options.bus;
    this.#pushStore = options.pushStore;
    this.#logger = options.logger;
    const collect = (row: PushRow) => {
      this.#rows.push(row);
    };
    this.feeds = new ReferenceCountedListeners((feed) => options.bus.onChannel(feed, collect));
    // The rows of every feed depend on the setting `escape_html`, which is announced here.
    this.feeds.listen(globalChannel);
  }

  /** Begins at the checkpoint of the read models. @throws what the database throws. */
  async start(reader: PushFeedReader): Promise<void> {
    this.#reader = reader;
    this.#catchingUp = true;
    this.#stops.push(
      this.#bus.onTick((tick) => this.#onTick(tick)),
      this.#bus.onInterruption(() => this.catchUp()),
    );
    const checkpoint = await this.#pushStore.checkpoint();
    const { position, batch, fence, epoch } = checkpoint;
    this.#position = position;
    this.#batch = batch;
    this.#fence = fence;
    this.#epoch = epoch;
    reader.begin(checkpoint);
    this.#catchingUp = false;
    if (this.#catchUpAgain) this.catchUp();
    else this.#emptyQueue();
    const watch = setInterval(() => {
      if (performance.now() - this.#tickAt >= silenceTimeoutMs) this.catchUp();
    }, silenceTimeoutMs);
    watch.unref();
    this.#stops.push(() => clearInterval(watch));
  }

  stop(): void {
    this.#stopped = true;
    for (const stop of this.#stops) stop();
    this.#waiters.stop();
  }

  /** Resolves when all rows up to the position were delivered, or the feed has stopped. */
  async reached(position: string): Promise<void> {
    if (this.#position < position && !this.#stopped) await this.#waiters.wait(position);
  }

  /** As `reached`, but not longer than `timeoutMs`. @returns whether all rows up to the position were delivered */
  async reachedWithin(position: string, timeoutMs: number): Promise<boolean> {
    if (this.#position < position && !this.#stopped) await this.#waiters.wait(position, timeoutMs);
    return this.#position >= position;
  }

  /** How long missed pushes have been read without success, in milliseconds; 0 if none are missed. */
  get stalledMs(): number {
    return this.#catchingUpSince === undefined ? 0 : performance.now() - this.#catchingUpSince;
  }

  /** All rows up to this position of the log were delivered. */
  get position(): string {
    return this.#position;
  }

  /** The log's epoch, from the checkpoint. */
  get epoch(): string | undefined {
    return this.#epoch;
  }

  /** Begins to read what the bus may have lost. Returns at once. */
  catchUp(): void {
    if (this.#stopped) return;
    this.#catchUpAgain = true;
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    void this.#catchUpUntilDone();
  }

  #onTick(tick: Tick): void {
    const rows = this.#rows;
    this.#rows = [];
    this.#tickAt = performance.now();
    if (!this.#catchingUp) this.#receive({ tick, rows });
    else if (!this.#queue.add({ tick, rows })) this.#catchUpAgain = true;
  }

  #receive({ tick, rows }: Batch): void {
    // A batch of a later projector may not follow on ours: that projector may have begun from an older log.
    if (tick.fence > this.#fence) {
      this.catchUp();
    } else if (tick.batch === this.#batch + 1) {
      this.#deliver(inOrder(rows.filter(({ place }) => place > this.#position)), tick.time, 'bus');
      this.#advance(tick.checkpoint, tick.batch);
    } else if (tick.batch > this.#batch || tick.checkpoint > this.#position) {
      this.catchUp();
    }
  }

  /** @param time when the last of them was decided, or stored, in ms of the wall clock; undefined if that is not known */
  #deliver(rows: readonly PushRow[], time: number | undefined, source: 'bus' | 'database'): void {
    if (rows.length === 0) return;
    const begun = performance.now();
    this.#reader?.deliver(rows);
    if (deliveries.wanted && time !== undefined) deliveries.report({ ms: Date.now() - time });
    if (!pushes.wanted) return;
    const requests = new Set(rows.flatMap(({ request }) => request ?? []));
    pushes.report({ ms: performance.now() - begun, requests, source });
  }

  /**
   * The position never goes back within an epoch: a database that crashed may have lost its last batches, and the
   * projector makes them again; but they have been delivered.
   */
  #advance(position: string, batch: number): void {
    this.#batch = batch;
    if (position <= this.#position) return;
    this.#position = position;
    this.#reader?.advanced();
    this.#waiters.reached(position);
  }

  async #catchUpUntilDone(): Promise<void> {
    while (this.#catchUpAgain && !this.#stopped) {
      this.#catchUpAgain = false;
      this.#catchingUpSince ??= performance.now();
      try {
        await this.#readMissed();
        this.#catchingUpSince = undefined;
        this.#tickAt = performance.now();
      } catch (error) {
        this.#catchUpAgain = true;
        this.#logger.warn({ err: error }, 'missed pushes could not be read; retrying');
        await new Promise((resolve) => setTimeout(resolve, retryDelayMs).unref());
      }
    }
    this.#catchingUp = false;
    this.#emptyQueue();
  }

  /** If there is a gap inside the queue, the feed catches up again, and the rest of the queue is kept for after that. */
  #emptyQueue(): void {
    while (!this.#catchingUp) {
      const batch = this.#queue.shift();
      if (batch === undefined) return;
      this.#receive(batch);
    }
  }

  async #readMissed(): Promise<void> {
    const checkpoint = await this.#pushStore.checkpoint();
    const { position, batch, fence, epoch } = checkpoint;
    this.#fence = fence;
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#queue.clear();
      this.#position = '';
      this.#reader?.begin(checkpoint);
      this.#advance(position, batch);
      this.#reader?.logRestored();
      return;
    }
    if (position <= this.#position) {
      this.#advance(position, batch);
      return;
    }
    busGaps.report();
    await this.#reader?.gapFound();
    let cursor: PushCursor | undefined = { place: this.#position, number: afterAll };
    while (cursor !== undefined) {
      const { rows, next, storedAt } = await this.#pushStore.rowsBetween(
        this.feeds.names(),
        cursor,
        position,
        pageRows,
      );
      if (this.#stopped) return;
      this.#deliver(rows, storedAt, 'database');
      cursor = next;
    }
    this.#advance(position, batch);
  }
}

/** The bus may carry the rows of different channels in any order. */
function inOrder(rows: PushRow[]): PushRow[] {
  const ordered = rows.every((row, index) => {
    const before = rows[index - 1];
    return before === undefined || comparePositions(before, row) <= 0;
  });
  return ordered ? rows : rows.sort(comparePositions);
}
