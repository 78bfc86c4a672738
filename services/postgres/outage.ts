import type { Logger } from 'pino';
import type { LeaveOut } from '../logger.ts';
import { isReasonAway, saysAway } from './away.ts';
import { openClient } from './connect.ts';

export interface OutageOptions {
  /** Holds a password: never log it. */
  readonly databaseUrl: string;
  readonly logger: Logger;
  /** Installs the function that decides which lines are left out of the log. */
  readonly leaveOut: (leaveOut: LeaveOut | undefined) => void;
  /** How often a lasting outage is logged; by default once a minute. */
  readonly remindEveryMs?: number;
}

/** How often the database is checked during an outage. */
const checkEveryMs = 1_000;
/** Failures within this time after an outage belong to it. */
const aftermathMs = 10_000;
/** The number of lines that are held until it is known whether the database is away. */
const maxHeldLines = 100;

/**
 * Logs an outage of the database once, then once a minute, then that it is over. Meanwhile the warnings of the
 * other parts of the program about it are left out, unless the log level is `debug`.
 */
export class Outage {
  readonly #options: Required<OutageOptions>;
  /** Lines that say that the database is away, until it is known whether it is. */
  readonly #held: (() => void)[] = [];
  #checking = false;
  #stopped = false;
  /** When the outage was detected; undefined if there is none. */
  #since: number | undefined;
  #loggedAt = 0;
  #endedAt = Number.NEGATIVE_INFINITY;
  #leftOut = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OutageOptions) {
    this.#options = { remindEveryMs: 60_000, ...options };
    if (options.logger.isLevelEnabled('debug')) return;
    options.leaveOut((line, write) => this.#leavesOut(line, write));
  }

  /** Writes the held lines; from now on all lines are written. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#options.leaveOut(undefined);
    this.#release();
  }

  /** Whether a line is left out, or held for now. */
  #leavesOut(
    { err, reason }: { readonly err?: unknown; readonly reason?: unknown },
    write: () => void,
  ): boolean {
    if (!saysAway(err) && !isReasonAway(reason)) return false;
    if (this.#since !== undefined) this.#leftOut += 1;
    else {
      if (this.#held.length === maxHeldLines) return false;
      this.#held.push(write);
      if (!this.#checking) void this.#check(err ?? reason);
    }
    return true;
  }

  async #check(why?: unknown): Promise<void> {
    this.#checking = true;
    const error = await failureOf(this.#options.databaseUrl);
    this.#checking = false;
    if (this.#stopped) return;
    if (error === undefined) this.#isBack();
    else this.#isAway(error, why);
  }

  #isAway(error: unknown, why: unknown): void {
    const { logger, remindEveryMs } = this.#options;
    const now = performance.now();
    if (this.#since === undefined) {
      this.#since = now;
      this.#loggedAt = now;
      this.#leftOut = this.#held.length;
      this.#held.length = 0;
      logger.error({ err: error, first: String(why) }, 'the database is away');
    } else if (now - this.#loggedAt >= remindEveryMs) {
      this.#loggedAt = now;
      logger.error({ err: error, ...this.#extent(now) }, 'the database is still away');
    }
    this.#timer = setTimeout(() => void this.#check(), Math.min(checkEveryMs, remindEveryMs));
    this.#timer.unref();
  }

  #isBack(): void {
    const now = performance.now();
    if (this.#since !== undefined) {
      this.#options.logger.info(this.#extent(now), 'the database is back');
      this.#since = undefined;
      this.#endedAt = now;
    } else if (now - this.#endedAt < aftermathMs) this.#held.length = 0;
    else this.#release();
  }

  /** How long the outage has lasted, and how many lines of other parts were left out. */
  #extent(now: number) {
    return { seconds: Math.round((now - (this.#since ?? now)) / 1000), leftOut: this.#leftOut };
  }

  #release(): void {
    for (const write of this.#held.splice(0)) write();
  }
}

/** Why the database does not answer; undefined if it does. */
async function failureOf(databaseUrl: string): Promise<unknown> {
  try {
    const client = await openClient(databaseUrl, { name: 'bubble-im outage', statementTimeoutMs: 2_000 });
    await client.end();
    return undefined;
  } catch (error) {
    return error;
  }
}
