import type { Logger } from 'pino';
import { globalChannel } from '../../../contracts/push/index.ts';
import { afterAll } from '../../../contracts/push/position.ts';
import type { PushRow } from '../../../contracts/push/row.ts';
import type { Bus, Tick } from '../../bus/bus.ts';
import type { Checkpoint, PushRecord } from '../../pushes/record.ts';
import { Listeners } from './listeners.ts';

/** What is done with what the tail hears. */
export interface TailReader {
  /** What is taken follows on this checkpoint: at the start, and when the log has become another one. */
  begin(checkpoint: Checkpoint): void;
  /** Takes rows that were committed, in the order of the log, none twice. */
  take(rows: readonly PushRow[]): void;
  /** Everything up to this place has been taken. */
  reached(place: string): void;
  /** Something may have been missed; the missed rows, if any, are taken after this. */
  missed(): Promise<void>;
  /** The log is another one than it was: what was heard so far means nothing in it. */
  restored(): void;
}

interface Batch {
  readonly tick: Tick;
  readonly rows: readonly PushRow[];
}

const pageSize = 1_000;
const silence = 1_000;
const pauseAfterFailure = 250;
/** More than this is not kept while reading what was missed: it is read from the record as well. */
const mostQueuedRows = 10_000;

/**
 * The pushes of the log as this gateway hears them: batch by batch from the bus and, where the
 * batches' numbers show a gap, where the bus lost touch or is silent, from the record.
 */
export class Tail {
  /** Which of the log's feeds this gateway hears: those that something here needs. */
  readonly feeds: Listeners;
  readonly #bus: Bus;
  readonly #record: PushRecord;
  #reader: TailReader | undefined;
  readonly #logger: Logger;
  readonly #stops: (() => void)[] = [];
  /** Everything up to this place was taken, at this batch; undefined before the start. */
  #place = '';
  #batch = -1;
  #fence = -1;
  #epoch: string | undefined;
  /** Rows of the batch whose tick has not come yet. */
  #rows: PushRow[] = [];
  #catchingUp = false;
  #again = false;
  /** Since when a reading of what was missed has been tried, or goes on. */
  #missingSince: number | undefined;
  #queue: Batch[] = [];
  #queuedRows = 0;
  #heardAt = performance.now();
  #ended = false;
  #waiting: { place: string; resolve(): void }[] = [];

  constructor(options: { bus: Bus; record: PushRecord; logger: Logger }) {
    this.#bus = options.bus;
    this.#record = options.record;
    this.#logger = options.logger;
    const hear = (row: PushRow) => {
      this.#rows.push(row);
    };
    this.feeds = new Listeners((feed) => options.bus.onChannel(feed, hear));
    // The settings say how every other feed's rows look.
    this.feeds.listen(globalChannel);
  }

  /** Begins at the present end of the read models. @throws what the database throws. */
  async start(reader: TailReader): Promise<void> {
    this.#reader = reader;
    this.#catchingUp = true;
    this.#stops.push(
      this.#bus.onTick((tick) => this.#hearTick(tick)),
      this.#bus.onInterruption(() => this.catchUp()),
    );
    const checkpoint = await this.#record.checkpoint();
    const { position, batch, fence, epoch } = checkpoint;
    this.#place = position;
    this.#batch = batch;
    this.#fence = fence;
    this.#epoch = epoch;
    reader.begin(checkpoint);
    this.#catchingUp = false;
    if (this.#again) this.catchUp();
    else this.#takeQueue();
    const watch = setInterval(() => {
      if (performance.now() - this.#heardAt >= silence) this.catchUp();
    }, silence);
    watch.unref();
    this.#stops.push(() => clearInterval(watch));
  }

  stop(): void {
    this.#ended = true;
    for (const stop of this.#stops) stop();
    for (const { resolve } of this.#waiting) resolve();
    this.#waiting = [];
  }

  /** Resolves once everything up to the place was taken, or this has stopped. */
  async taken(place: string): Promise<void> {
    if (this.#place >= place || this.#ended) return;
    await new Promise<void>((resolve) => this.#waiting.push({ place, resolve }));
  }

  /** As `taken`, but for so long at most. @returns whether everything up to the place was taken */
  async takenWithin(place: string, milliseconds: number): Promise<boolean> {
    if (this.#place < place && !this.#ended) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const waiting = { place, resolve };
      this.#waiting.push(waiting);
      const late = setTimeout(resolve, milliseconds);
      await promise;
      clearTimeout(late);
      this.#waiting = this.#waiting.filter((one) => one !== waiting);
    }
    return this.#place >= place;
  }

  /** For how long what was missed has been read without an end, in milliseconds; 0 if nothing is missed. */
  get stalled(): number {
    return this.#missingSince === undefined ? 0 : performance.now() - this.#missingSince;
  }

  /** Up to where everything was taken. */
  get place(): string {
    return this.#place;
  }

  /** The log's epoch, as the read models name it. */
  get epoch(): string | undefined {
    return this.#epoch;
  }

  /** Reads from the record what the bus may have lost. Returns at once. */
  catchUp(): void {
    if (this.#ended) return;
    this.#again = true;
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    void this.#catchUpUntilDone();
  }

  #hearTick(tick: Tick): void {
    const rows = this.#rows;
    this.#rows = [];
    this.#heardAt = performance.now();
    if (!this.#catchingUp) {
      this.#takeBatch({ tick, rows });
      return;
    }
    this.#queue.push({ tick, rows });
    this.#queuedRows += rows.length;
    if (this.#queuedRows > mostQueuedRows) {
      this.#forgetQueue();
      this.#again = true;
    }
  }

  #takeBatch({ tick, rows }: Batch): void {
    // Another projector may have begun from an older log: its batches do not follow on ours then.
    if (tick.fence > this.#fence) {
      this.catchUp();
    } else if (tick.batch === this.#batch + 1) {
      this.#take(rows);
      this.#reach(tick.checkpoint, tick.batch);
    } else if (tick.batch > this.#batch || tick.checkpoint > this.#place) {
      this.catchUp();
    }
  }

  #take(rows: readonly PushRow[]): void {
    const fresh = rows.filter(({ place }) => place > this.#place);
    if (fresh.length > 0) this.#reader?.take(inOrder(fresh));
  }

  /** A database that crashed may have forgotten its latest batches: they are made again, and were taken. */
  #reach(place: string, batch: number): void {
    this.#batch = batch;
    if (place <= this.#place) return;
    this.#place = place;
    this.#reader?.reached(place);
    if (this.#waiting.length === 0) return;
    const reached = this.#waiting.filter((one) => one.place <= place);
    this.#waiting = this.#waiting.filter((one) => one.place > place);
    for (const { resolve } of reached) resolve();
  }

  async #catchUpUntilDone(): Promise<void> {
    while (this.#again && !this.#ended) {
      this.#again = false;
      this.#missingSince ??= performance.now();
      try {
        await this.#readMissed();
        this.#missingSince = undefined;
        this.#heardAt = performance.now();
      } catch (error) {
        this.#again = true;
        this.#logger.warn({ err: error }, 'what was missed could not be read; trying again');
        await new Promise((resolve) => setTimeout(resolve, pauseAfterFailure).unref());
      }
    }
    this.#catchingUp = false;
    this.#takeQueue();
  }

  /** A gap inside the queue begins another catching up, which keeps the rest of it. */
  #takeQueue(): void {
    while (!this.#catchingUp) {
      const batch = this.#queue.shift();
      if (batch === undefined) break;
      this.#takeBatch(batch);
    }
    this.#queuedRows = this.#queue.reduce((sum, { rows }) => sum + rows.length, 0);
  }

  #forgetQueue(): void {
    this.#queue = [];
    this.#queuedRows = 0;
  }

  async #readMissed(): Promise<void> {
    const checkpoint = await this.#record.checkpoint();
    const { position, batch, fence, epoch } = checkpoint;
    this.#fence = fence;
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#forgetQueue();
      this.#place = '';
      this.#reader?.begin(checkpoint);
      this.#reach(position, batch);
      this.#reader?.restored();
      return;
    }
    if (position <= this.#place) {
      this.#reach(position, batch);
      return;
    }
    await this.#reader?.missed();
    let cursor = { place: this.#place, number: afterAll };
    for (;;) {
      const rows = await this.#record.rowsBetween(this.feeds.names(), cursor, position, pageSize);
      if (this.#ended) return;
      if (rows.length > 0) this.#reader?.take(rows);
      const last = rows.at(-1);
      if (last === undefined || rows.length < pageSize) break;
      cursor = last;
    }
    this.#reach(position, batch);
  }
}

function inOrder(rows: PushRow[]): PushRow[] {
  const ordered = rows.every((row, index) => {
    const before = rows[index - 1];
    return before === undefined || compare(before, row) <= 0;
  });
  return ordered ? rows : rows.sort(compare);
}

function compare(one: PushRow, other: PushRow): number {
  if (one.place === other.place) return one.number - other.number;
  return one.place < other.place ? -1 : 1;
}
