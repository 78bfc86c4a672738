import { type Position, startOfLog } from '../log/log.ts';
import type { Bus, Tick } from './bus.ts';

/** How far the read models are, for those who wait for them. */
export interface Progress {
  /** Up to where the read models reach, as far as is known here. */
  readonly checkpoint: Position;
  /**
   * Resolves once the read models show what lies at `position`, as far as is known here; with false
   * if that takes longer. After a crash of the database they may be a little behind what is known,
   * for a moment.
   */
  reached(position: Position, timeoutMilliseconds: number): Promise<boolean>;
  /**
   * As `reached`, but by what the database itself says: a query that begins afterwards sees it.
   * @throws what reading the checkpoint throws
   */
  confirmed(position: Position, timeoutMilliseconds: number): Promise<boolean>;
  /** Stops listening; whoever still waits gets false. */
  stop(): void;
}

interface Waiter {
  readonly position: Position;
  readonly until: number;
  readonly settle: (reached: boolean) => void;
}

/** How exactly a time is kept to, and after how long what the bus has not told is read. */
const sweepMilliseconds = 50;

/** What of a bus is listened to. */
export type ProgressSource = Pick<Bus, 'onTick' | 'onInterruption'>;

/**
 * Told by the bus; the waiting are looked through only when a tick comes, and now and then for the late.
 * A bus that is away tells nothing: for who still waits then, the database is asked.
 *
 * The read models commit asynchronously, so a database that crashed has a checkpoint from before the
 * last ticks. What is known follows it back: the projector that goes on has a greater fence, and a
 * reading that no tick overtook is right even if it says less than was known.
 */
class BusProgress implements Progress {
  checkpoint = startOfLog;
  #fence = -1;
  #batch = -1;
  /** Counts the ticks, so that a reading can tell whether one came meanwhile. */
  #ticks = 0;
  #waiting: Waiter[] = [];
  #sweep: NodeJS.Timeout | undefined;
  #asking = false;
  readonly #read: () => Promise<Tick>;
  readonly #stops: readonly (() => void)[];

  constructor(bus: ProgressSource, read: () => Promise<Tick>) {
    this.#read = read;
    this.#stops = [
      bus.onTick((tick) => {
        this.#ticks++;
        this.#hear(tick);
      }),
      // What a reading that fails would have told, the next tick tells.
      bus.onInterruption(() => void this.ask().catch(() => undefined)),
    ];
  }

  async ask(): Promise<void> {
    const ticks = this.#ticks;
    const read = await this.#read();
    if (this.#ticks === ticks) this.#take(read);
    else this.#hear(read);
  }

  async confirmed(position: Position, timeoutMilliseconds: number): Promise<boolean> {
    const until = performance.now() + timeoutMilliseconds;
    while (await this.reached(position, until - performance.now())) {
      await this.ask();
      if (position <= this.checkpoint) return true;
    }
    return false;
  }

  reached(position: Position, timeoutMilliseconds: number): Promise<boolean> {
    if (position <= this.checkpoint) return Promise.resolve(true);
    return new Promise((settle) => {
      this.#waiting.push({ position, until: performance.now() + timeoutMilliseconds, settle });
      this.#sweep ??= setInterval(() => this.#lookAfterTheLate(), sweepMilliseconds);
    });
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#giveUp(Number.POSITIVE_INFINITY);
  }

  /** Takes in what is newer than what is known, by whoever commits and the count of commits. */
  #hear(tick: Tick): void {
    const newer = tick.fence === this.#fence ? tick.batch > this.#batch : tick.fence > this.#fence;
    if (newer) this.#take(tick);
  }

  #take({ checkpoint, fence, batch }: Tick): void {
    this.#fence = fence;
    this.#batch = batch;
    this.checkpoint = checkpoint;
    if (this.#waiting.length > 0) this.#settle(({ position }) => position <= checkpoint, true);
  }

  #lookAfterTheLate(): void {
    this.#giveUp(performance.now());
    if (this.#waiting.length === 0 || this.#asking) return;
    this.#asking = true;
    // One that cannot be answered is asked again.
    void this.ask()
      .catch(() => undefined)
      .finally(() => {
        this.#asking = false;
      });
  }

  #giveUp(now: number): void {
    this.#settle(({ until }) => until <= now, false);
    if (this.#waiting.length > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #settle(due: (waiter: Waiter) => boolean, reached: boolean): void {
    const still: Waiter[] = [];
    for (const waiter of this.#waiting) {
      if (due(waiter)) waiter.settle(reached);
      else still.push(waiter);
    }
    this.#waiting = still;
  }
}

/**
 * Follows the read models' checkpoint. `read` asks the database for it: at the start, when the bus
 * may have lost something, and while somebody waits longer than a living bus lets them.
 * @throws what `read` throws at the start
 */
export async function followProgress(bus: ProgressSource, read: () => Promise<Tick>): Promise<Progress> {
  const progress = new BusProgress(bus, read);
  try {
    await progress.ask();
    return progress;
  } catch (error) {
    progress.stop();
    throw error;
  }
}
