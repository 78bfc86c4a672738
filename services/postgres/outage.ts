import type { Logger } from 'pino';
import type { LeaveOut } from '../logger.ts';
import { isReasonAway, saysAway } from './away.ts';
import { openClient } from './connect.ts';

export interface OutageOptions {
  /** Holds a password: never log it. */
  readonly databaseUrl: string;
  readonly logger: Logger;
  /** Takes what decides which lines are left out of the log. */
  readonly leaveOut: (leaveOut: LeaveOut | undefined) => void;
  /** How often an outage is told again, in milliseconds; by default once a minute. */
  readonly remindEvery?: number;
}

/** How often the database is asked while it is away, in milliseconds. */
const askEvery = 1_000;
/** What still fails for so long after an outage is part of it, in milliseconds. */
const aftermath = 10_000;
/** Lines that wait until it is known whether the database is away. */
const mostHeld = 100;

/**
 * Tells of a database that is away: once, then once a minute, then that it is back. While it is away, what
 * the many parts of the program warn of it is left out; `debug` writes that as well.
 */
export class Outage {
  readonly #options: Required<OutageOptions>;
  /** Lines that said that it is away, until it is known whether it is. */
  readonly #held: (() => void)[] = [];
  #asking = false;
  #stopped = false;
  /** When it was found away; undefined while it is there. */
  #since: number | undefined;
  #toldAt = 0;
  #overAt = Number.NEGATIVE_INFINITY;
  #leftOut = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OutageOptions) {
    this.#options = { remindEvery: 60_000, ...options };
    if (options.logger.isLevelEnabled('debug')) return;
    options.leaveOut((line, write) => this.#takes(line, write));
  }

  /** Writes what was held, and no longer looks at lines. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#options.leaveOut(undefined);
    this.#release();
  }

  /** Whether a line is left out, for now. */
  #takes({ err, reason }: { readonly err?: unknown; readonly reason?: unknown }, write: () => void): boolean {
    if (!saysAway(err) && !isReasonAway(reason)) return false;
    if (this.#since !== undefined) this.#leftOut += 1;
    else {
      if (this.#held.length === mostHeld) return false;
      this.#held.push(write);
      if (!this.#asking) void this.#ask(err ?? reason);
    }
    return true;
  }

  async #ask(why?: unknown): Promise<void> {
    this.#asking = true;
    const error = await failureOf(this.#options.databaseUrl);
    this.#asking = false;
    if (this.#stopped) return;
    if (error === undefined) this.#isThere();
    else this.#isAway(error, why);
  }

  #isAway(error: unknown, why: unknown): void {
    const { logger, remindEvery } = this.#options;
    const now = performance.now();
    if (this.#since === undefined) {
      this.#since = now;
      this.#toldAt = now;
      this.#leftOut = this.#held.length;
      this.#held.length = 0;
      logger.error({ err: error, first: String(why) }, 'the database is away');
    } else if (now - this.#toldAt >= remindEvery) {
      this.#toldAt = now;
      logger.error({ err: error, ...this.#extent(now) }, 'the database is still away');
    }
    this.#timer = setTimeout(() => void this.#ask(), Math.min(askEvery, remindEvery));
    this.#timer.unref();
  }

  #isThere(): void {
    const now = performance.now();
    if (this.#since !== undefined) {
      this.#options.logger.info(this.#extent(now), 'the database is back');
      this.#since = undefined;
      this.#overAt = now;
    } else if (now - this.#overAt < aftermath) this.#held.length = 0;
    else this.#release();
  }

  /** For how long it has been away, and how many lines of other parts say the same. */
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
    const client = await openClient(databaseUrl, { name: 'bubble-im outage', statement: 2_000 });
    await client.end();
    return undefined;
  } catch (error) {
    return error;
  }
}
