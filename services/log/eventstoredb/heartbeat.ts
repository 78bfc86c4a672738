import { setTimeout as delay } from 'node:timers/promises';

/** The figures of a heartbeat, in milliseconds. */
export interface Pulse {
  /** After so long a silence the server is asked. */
  readonly silence: number;
  /** So long it may take to answer. */
  readonly deadline: number;
}

/**
 * Knows whether the server answers. A frozen one keeps its connections, and theirs is the only
 * sign that the client watches for, every ten seconds; so whoever hears nothing for a second asks.
 */
export class Heartbeat {
  readonly #ask: () => Promise<unknown>;
  readonly #silent: () => void;
  readonly #pulse: Pulse;
  readonly #timer: NodeJS.Timeout;
  #lastHeard = Number.NEGATIVE_INFINITY;
  #downSince: number | undefined;
  #asking: Promise<boolean> | undefined;
  readonly #waiting = new Set<() => void>();

  /** `ask` asks the server something cheap; `silent` is called when no answer came in time. */
  constructor(pulse: Pulse, ask: () => Promise<unknown>, silent: () => void) {
    this.#pulse = pulse;
    this.#ask = ask;
    this.#silent = silent;
    this.#timer = setInterval(() => void this.answers(), pulse.silence / 10);
    this.#timer.unref();
  }

  /** Since when the server is known not to answer, on the clock of `performance.now()`. */
  get downSince(): number | undefined {
    return this.#downSince;
  }

  /** To be called at each sign of life. */
  heard(): void {
    this.#lastHeard = performance.now();
    if (this.#downSince === undefined) return;
    this.#downSince = undefined;
    for (const wake of this.#waiting) wake();
  }

  /** Asks at once, for what was heard before says nothing any more; whether the server answers. */
  suspect(): Promise<boolean> {
    this.#lastHeard = Number.NEGATIVE_INFINITY;
    return this.answers();
  }

  /** Resolves when the server answers again, or after so many milliseconds; whether it answers. */
  async back(milliseconds: number, signal?: AbortSignal): Promise<boolean> {
    if (this.#downSince !== undefined && milliseconds > 0) {
      const over = new AbortController();
      const wake = () => over.abort();
      this.#waiting.add(wake);
      const ends = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
      await delay(milliseconds, undefined, { signal: ends }).catch(() => undefined);
      this.#waiting.delete(wake);
    }
    return this.#downSince === undefined;
  }

  /** Whether the server answers: it did just now, or is asked. */
  answers(): Promise<boolean> {
    if (performance.now() - this.#lastHeard < this.#pulse.silence) return Promise.resolve(true);
    this.#asking ??= this.#askOnce().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #askOnce(): Promise<boolean> {
    const asked = performance.now();
    const late = Symbol();
    let timer: NodeJS.Timeout | undefined;
    try {
      const first = await Promise.race([
        this.#ask(),
        new Promise<symbol>((resolve) => {
          timer = setTimeout(() => resolve(late), this.#pulse.deadline);
        }),
      ]);
      if (first !== late) {
        this.heard();
        return true;
      }
      // What was heard meanwhile came over the same connection: slow, but alive.
      if (this.#lastHeard > asked) return true;
      this.#downSince ??= asked;
      this.#silent();
      return false;
    } catch {
      this.#downSince ??= asked;
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}
