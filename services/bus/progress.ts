import { type Position, startOfLog } from '../log/log.ts';
import type { Bus, Tick } from './bus.ts';

/** How far the read models are, for callers that wait for them. */
export interface Progress {
  /** The position that the read models have reached, as far as this process knows. */
  readonly checkpoint: Position;
  /**
   * Resolves with true once the read models have reached `position`, as far as this process knows, and with false
   * after `timeoutMs`. After a crash of the database they may be behind that for a moment.
   */
  reached(position: Position, timeoutMs: number): Promise<boolean>;
  /**
   * As `reached`, but confirmed by the database: a query that begins afterwards includes the position.
   * @throws what reading the checkpoint throws
   */
  confirmed(position: Position, timeoutMs: number): Promise<boolean>;
  /** Stops listening; pending calls resolve with false. */
  stop(): void;
}

interface Waiter {
  readonly position: Position;
  readonly until: number;
  readonly settle: (reached: boolean) => void;
}

/** How exactly timeouts are kept, and how often the checkpoint is read while somebody waits. */
const sweepEveryMs = 50;

/** The part of a bus that is listened to. */
export type ProgressSource = Pick<Bus, 'onTick' | 'onInterruption'>;

/**
 * Follows the ticks of the bus. A bus that is down delivers none, so the checkpoint is read from the database while
 * somebody waits.
 *
 * The read models commit asynchronously, so after a crash the database's checkpoint may be older than the last
 * ticks. The known checkpoint goes back with it: the next projector has a greater fence, and a checkpoint
 * that was read while no tick arrived is right even if it is earlier than the known one.
 */
class BusProgress implements Progress {
  checkpoint = startOfLog;
  #fence = -1;
  #batch = -1;
  /** The number of ticks received, which shows whether one arrived while the checkpoint was read. */
  #ticks = 0;
  #waiting: Waiter[] = [];
  #sweep: NodeJS.Timeout | undefined;
  #reading = false;
  readonly #read: () => Promise<Tick>;
  readonly #stops: readonly (() => void)[];

  constructor(bus: ProgressSource, read: () => Promise<Tick>) {
    this.#read = read;
    this.#stops = [
      bus.onTick((tick) => {
        this.#ticks++;
        this.#receive(tick);
      }),
      // If the read fails, the next tick brings the checkpoint.
      bus.onInterruption(() => void this.refresh().catch(() => undefined)),
    ];
  }

  async refresh(): Promise<void> {
    const ticks = this.#ticks;
    const read = await this.#read();
    if (this.#ticks === ticks) this.#set(read);
    else this.#receive(read);
  }

  async confirmed(position: Position, timeoutMs: number): Promise<boolean> {
    const until = performance.now() + timeoutMs;
    while (await this.reached(position, until - performance.now())) {
      await this.refresh();
      if (position <= this.checkpoint) return true;
    }
    return false;
  }

  reached(position: Position, timeoutMs: number): Promise<boolean> {
    if (position <= this.checkpoint) return Promise.resolve(true);
    return new Promise((settle) => {
      this.#waiting.push({ position, until: performance.now() + timeoutMs, settle });
      this.#sweep ??= setInterval(() => this.#sweepWaiting(), sweepEveryMs);
    });
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#expire(Number.POSITIVE_INFINITY);
  }

  /** Ignores a tick that is older than the last one, by fence and batch. */
  #receive(tick: Tick): void {
    const newer = tick.fence === this.#fence ? tick.batch > this.#batch : tick.fence > this.#fence;
    if (newer) this.#set(tick);
  }

  #set({ checkpoint, fence, batch }: Tick): void {
    this.#fence = fence;
    this.#batch = batch;
    this.checkpoint = checkpoint;
    if (this.#waiting.length > 0) this.#settle(({ position }) => position <= checkpoint, true);
  }

  #sweepWaiting(): void {
    this.#expire(performance.now());
    if (this.#waiting.length === 0 || this.#reading) return;
    this.#reading = true;
    // If the read fails, the next sweep tries again.
    void this.refresh()
      .catch(() => undefined)
      .finally(() => {
        this.#reading = false;
      });
  }

  #expire(now: number): void {
    this.#settle(({ until }) => until <= now, false);
    if (this.#waiting.length > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #settle(due: (waiter: Waiter) => boolean, reached: boolean): void {
    const others: Waiter[] = [];
    for (const waiter of this.#waiting) {
      if (due(waiter)) waiter.settle(reached);
      else others.push(waiter);
    }
    this.#waiting = others;
  }
}

/**
 * Follows the read models' checkpoint. `read` reads it from the database: at the start, when the bus may have
 * lost messages, and every 50 ms while somebody waits.
 * @throws what `read` throws at the start
 */
export async function followProgress(bus: ProgressSource, read: () => Promise<Tick>): Promise<Progress> {
  const progress = new BusProgress(bus, read);
  try {
    await progress.refresh();
    return progress;
  } catch (error) {
    progress.stop();
    throw error;
  }
}
