import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { reasonOf } from '../../error-reason.ts';
import type { Head } from './heads.ts';
import { Contradiction } from './own-tree.ts';

/** After how long a head that was not received is sent again, in milliseconds. */
const retryMs = 10_000;

/** A place where a person who can change the log cannot change its heads. */
export interface HeadReceiver {
  /** What is logged if a head cannot be sent. */
  readonly failure: string;
  /**
   * Sends a head. Does nothing if it was received before.
   * @throws Contradiction if the receiver has a head that is not of this log; Error; the signal's reason
   */
  send(head: Head, signal: AbortSignal): Promise<void>;
}

/**
 * Sends heads to a receiver that may be slow or away: one at a time, and of those that come meanwhile the last one. A
 * head that was not received is sent again, or the one that came after it. A receiver that has a head which is not of this log
 * gets none.
 */
export class HeadSender {
  readonly #receiver: HeadReceiver;
  readonly #logger: Logger;
  readonly #retryMs: number;
  readonly #stopping = new AbortController();
  #waiting: Head | undefined;
  #working: Promise<void> | undefined;
  #failure: string | undefined;
  #contradiction: string | undefined;

  constructor(receiver: HeadReceiver, logger: Logger, waitMs = retryMs) {
    this.#receiver = receiver;
    this.#logger = logger.child({ part: 'audit' });
    this.#retryMs = waitMs;
  }

  /** How heads that the receiver has contradict the log; undefined if they did not when it last told. */
  get fault(): string | undefined {
    return this.#contradiction;
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
        this.#report(head, error);
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

  /** Logs a failure once for as long as it lasts: a contradiction also while its sizes change, or the receiver is away. */
  #report({ size }: Head, error: unknown): void {
    const reason = error === undefined ? undefined : reasonOf(error);
    const isContradiction = error instanceof Contradiction;
    if (isContradiction && this.#contradiction === undefined)
      this.#logger.error(
        { reason, size },
        'a head of the audit log that is kept elsewhere is not of this log',
      );
    if (isContradiction) this.#contradiction = reason;
    else if (error === undefined) this.#contradiction = undefined;
    if (reason === this.#failure) return;
    if (reason === undefined)
      this.#logger.info({ size, before: this.#failure }, 'heads of the audit log are received again');
    else if (!isContradiction) this.#logger.warn({ reason, size }, this.#receiver.failure);
    this.#failure = reason;
  }
}
