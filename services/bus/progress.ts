import { type Position, startOfLog } from '../log/log.ts';
import type { Bus } from './bus.ts';

/** How far the read models are, for those who wait for them. */
export interface Progress {
  /** Up to where the read models reach, as far as is known here. */
  readonly checkpoint: Position;
  /** Resolves once the read models show what lies at `position`, with false where that takes longer. */
  reached(position: Position, timeoutMilliseconds: number): Promise<boolean>;
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
 */
class BusProgress implements Progress {
  checkpoint = startOfLog;
  #waiting: Waiter[] = [];
  #sweep: NodeJS.Timeout | undefined;
  #asking = false;
  readonly #read: () => Promise<Position>;
  readonly #stops: readonly (() => void)[];

  constructor(bus: ProgressSource, read: () => Promise<Position>) {
    this.#read = read;
    this.#stops = [
      bus.onTick(({ checkpoint }) => this.#advance(checkpoint)),
      // What a reading that fails would have told, the next tick tells.
      bus.onInterruption(() => void this.ask().catch(() => undefined)),
    ];
  }

  async ask(): Promise<void> {
    this.#advance(await this.#read());
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

  #advance(checkpoint: Position): void {
    if (checkpoint <= this.checkpoint) return;
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
export async function followProgress(bus: ProgressSource, read: () => Promise<Position>): Promise<Progress> {
  const progress = new BusProgress(bus, read);
  try {
    await progress.ask();
    return progress;
  } catch (error) {
    progress.stop();
    throw error;
  }
}
