import { setTimeout as delay } from 'node:timers/promises';
import pTimeout from 'p-timeout';

export interface HeartbeatTimeouts {
  /** After this time without a sign of life the server is pinged. */
  readonly silenceMs: number;
  /** How long the server may take to answer a ping. */
  readonly answerTimeoutMs: number;
}

/** What the owner of a heartbeat does when the server stops answering, and answers again. */
export interface HeartbeatEvents {
  /** A ping was not answered in time, although the connection is open. */
  onSilent(): void;
  /** The server began not to answer. */
  onDown(): void;
  /** It answers again, after this time. */
  onUp(downMs: number): void;
}

/**
 * Knows whether the server answers. A frozen server keeps its connections open, and the client itself checks them
 * only every 10 s; so the server is pinged when nothing has been received for a second.
 */
export class Heartbeat {
  readonly #ping: () => Promise<unknown>;
  readonly #events: HeartbeatEvents;
  readonly #timeouts: HeartbeatTimeouts;
  readonly #timer: NodeJS.Timeout;
  #lastReceived = Number.NEGATIVE_INFINITY;
  #downSince: number | undefined;
  #pinging: Promise<boolean> | undefined;
  readonly #waiting = new Set<() => void>();

  /** @param ping asks the server something cheap */
  constructor(timeouts: HeartbeatTimeouts, ping: () => Promise<unknown>, events: HeartbeatEvents) {
    this.#timeouts = timeouts;
    this.#ping = ping;
    this.#events = events;
    this.#timer = setInterval(() => void this.answers(), timeouts.silenceMs / 10);
    this.#timer.unref();
  }

  /** Since when the server is known not to answer, on the clock of `performance.now()`. */
  get downSince(): number | undefined {
    return this.#downSince;
  }

  /** To be called whenever something is received from the server. */
  received(): void {
    this.#lastReceived = performance.now();
    if (this.#downSince === undefined) return;
    const downMs = this.#lastReceived - this.#downSince;
    this.#downSince = undefined;
    this.#events.onUp(downMs);
    for (const wake of this.#waiting) wake();
  }

  /** Pings at once, whatever was received before. @returns whether the server answers */
  pingNow(): Promise<boolean> {
    this.#lastReceived = Number.NEGATIVE_INFINITY;
    return this.answers();
  }

  /** Waits up to `timeoutMs` until the server answers again. @returns whether it answers */
  async untilUp(timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    if (this.#downSince !== undefined && timeoutMs > 0) {
      const up = new AbortController();
      const wake = () => up.abort();
      this.#waiting.add(wake);
      const ends = signal ? AbortSignal.any([signal, up.signal]) : up.signal;
      await delay(timeoutMs, undefined, { signal: ends }).catch(() => undefined);
      this.#waiting.delete(wake);
    }
    return this.#downSince === undefined;
  }

  /** Whether the server answers: something was received within the last second, or it is pinged. */
  answers(): Promise<boolean> {
    if (performance.now() - this.#lastReceived < this.#timeouts.silenceMs) return Promise.resolve(true);
    this.#pinging ??= this.#pingOnce().finally(() => {
      this.#pinging = undefined;
    });
    return this.#pinging;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #pingOnce(): Promise<boolean> {
    const began = performance.now();
    const late = Symbol();
    try {
      const milliseconds = this.#timeouts.answerTimeoutMs;
      const first = await pTimeout(this.#ping(), { milliseconds, fallback: () => late });
      if (first !== late) {
        this.received();
        return true;
      }
      // Something else was received over the same connection meanwhile: the server is slow, but alive.
      if (this.#lastReceived > began) return true;
      this.#goDown(began);
      this.#events.onSilent();
      return false;
    } catch {
      this.#goDown(began);
      return false;
    }
  }

  #goDown(since: number): void {
    if (this.#downSince !== undefined) return;
    this.#downSince = since;
    this.#events.onDown();
  }
}
