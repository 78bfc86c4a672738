import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { reasonOf } from '../../error-reason.ts';
import type { Head } from './heads.ts';

/** After how long a head that was not received is sent again, in milliseconds. */
const retryMs = 10_000;

/** A place where a person who can change the log cannot change its heads. */
export interface HeadReceiver {
  /** What is logged if a head cannot be sent. */
  readonly failure: string;
  /** Sends a head. Does nothing if it was received before. @throws Error; the signal's reason */
  send(head: Head, signal: AbortSignal): Promise<void>;
}

/**
 * Sends heads to a receiver that may be slow or away: one at a time, and of those that come meanwhile the last one. A
 * head that was not received is sent again, or the one that came after it.
 */
export class HeadSender {
  readonly #receiver: HeadReceiver;
  readonly #logger: Logger;
  readonly #retryMs: number;
  readonly #stopping = new AbortController();
  #waiting: Head | undefined;
  #working: Promise<void> | undefined;
  #failure: string | undefined;

  constructor(receiver: HeadReceiver, logger: Logger, waitMs = retryMs) {
    this.#receiver = receiver;
    this.#logger = logger.child({ part: 'audit' });
    this.#retryMs = waitMs;
  }

  /** Sends a head as soon as those before it are sent. */
  offer(head: Head): void {
    this.#waiting = head;
    this.#working ??= this.#work();
  }

  /** Ends the sending under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopping;
    for (let head = this.#next(); head && !signal.aborted; head = this.#next()) {
      try {
        await this.#receiver.send(head, signal);
        this.#report(head, undefined);
      } catch (error) {
        if (signal.aborted) return;
        this.#report(head, reasonOf(error));
        this.#waiting ??= head;
        await delay(this.#retryMs, undefined, { signal }).catch(() => undefined);
      }
    }
    this.#working = undefined;
  }

  #next(): Head | undefined {
    const head = this.#waiting;
    this.#waiting = undefined;
    return head;
  }

  /** Logs a failure once for as long as it lasts. */
  #report({ size }: Head, reason: string | undefined): void {
    if (reason === this.#failure) return;
    if (reason !== undefined) this.#logger.warn({ reason, size }, this.#receiver.failure);
    else this.#logger.info({ size, before: this.#failure }, 'heads of the audit log are received again');
    this.#failure = reason;
  }
}
