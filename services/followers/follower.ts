import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { FollowingFault } from '../log/following-fault.ts';
import { LogChanged, StrangeLog } from '../log/identity.ts';
import type { EventLog } from '../log/log.ts';
import type { DatabaseConfig } from '../postgres/connect.ts';
import { recordFault } from './fault.ts';
import { FollowerProgress, type FollowerStatus } from './progress.ts';
import { Session, SteppedDown } from './session.ts';
import { BeginAgain, type Obstacle, type Task } from './task.ts';

/** How long to wait after a failure: this at first, doubled each time up to the longest. */
const firstPauseMs = 100;
const maxPauseMs = 2_000;
/** How often a log that is not ours is compared again, and how often that is logged. */
const strangeEveryMs = 2_000;
const reminderEveryMs = 60_000;

export interface FollowerOptions {
  readonly task: Task;
  readonly log: EventLog;
  /** Where its lease, its checkpoint and its tables are. */
  readonly database: DatabaseConfig;
  readonly logger: Logger;
}

/**
 * Applies the log to tables, in batches, each committed together with its checkpoint. Of all followers of one name
 * on a database one works and the others stand by. Each follower has a subscription of its own and goes at its own
 * pace. It goes on by itself after any trouble with the database or the log. Before an event that its task cannot
 * apply it stops, which `status` says, until the obstacle is removed.
 */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #logger: Logger;
  readonly #holder = `${hostname()}/${process.pid}/${randomUUID()}`;
  readonly #progress = new FollowerProgress();
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** When the log was last reported to be another's, on the clock of `performance.now()`. */
  #strangeReportedAt = 0;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ part: options.task.part });
  }

  /** Begins. Called once. The database need not be reachable yet. */
  start(): void {
    this.#running = this.#run();
  }

  /** Finishes the batch under way and lets another go on at once. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Why it does not follow the log, if it does not: a cheap question, for every call of the API. */
  get fault(): FollowingFault | undefined {
    return this.#progress.fault;
  }

  status(): FollowerStatus {
    return this.#progress.status();
  }

  /** For how long, in milliseconds, the first event after its checkpoint has been in the log; 0 if there is none. */
  async lag(): Promise<number> {
    const { log, task } = this.#options;
    const { checkpoint: after } = this.#progress;
    for await (const { recorded } of log.readAll({ after, prefixes: task.prefixes, limit: 1 })) {
      return Math.max(1, Date.now() - recorded);
    }
    return 0;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let pauseMs = firstPauseMs;
    while (!signal.aborted) {
      const { commits } = this.#progress;
      try {
        await this.#session();
      } catch (error) {
        if (signal.aborted) break;
        if (await this.#recovered(error)) continue;
        this.#logger.warn({ err: error }, `the ${this.#options.task.part} was interrupted and tries again`);
        if (this.#progress.commits > commits) pauseMs = firstPauseMs;
        await this.#rest(pauseMs);
        pauseMs = Math.min(pauseMs * 2, maxPauseMs);
      }
    }
  }

  #session(): Promise<void> {
    return new Session({
      ...this.#options,
      logger: this.#logger,
      holder: this.#holder,
      progress: this.#progress,
      stopping: this.#stopping.signal,
    }).run();
  }

  /** Does what an error asks for before the next session; false for an error that only time may mend. */
  async #recovered(error: unknown): Promise<boolean> {
    const obstacle = this.#options.task.obstacleOf?.(error);
    if (obstacle) {
      await this.#waitAt(obstacle);
      return true;
    }
    if (error instanceof StrangeLog) {
      await this.#waitForOurs(error.message);
      return true;
    }
    if (error instanceof SteppedDown) {
      this.#logger.warn(
        { reason: error.message },
        `the ${this.#options.task.part} leaves the work to another`,
      );
      return true;
    }
    return error instanceof LogChanged || error instanceof BeginAgain;
  }

  /** Waits until trying again may help. */
  async #waitAt(obstacle: Obstacle): Promise<void> {
    const { signal } = this.#stopping;
    const { reason, position } = obstacle;
    const fault = position === undefined ? { reason } : { reason, position };
    this.#progress.fault = fault;
    this.#progress.idle();
    const ended = new AbortController();
    const recording = this.#record(fault, AbortSignal.any([signal, ended.signal]));
    await obstacle.removed(signal);
    ended.abort();
    await recording;
    if (!signal.aborted) this.#progress.fault = undefined;
  }

  /** The right log may come back, as when a restore is under way: it is compared again. */
  async #waitForOurs(reason: string): Promise<void> {
    const now = performance.now();
    if (this.#progress.fault?.reason !== reason || now - this.#strangeReportedAt >= reminderEveryMs) {
      this.#logger.fatal({ reason }, `the ${this.#options.task.part} cannot follow the log`);
      this.#strangeReportedAt = now;
    }
    this.#progress.fault = { reason };
    // Each time, since another one with the right log may have worked meanwhile.
    await this.#recorded({ reason });
    await this.#rest(strangeEveryMs);
  }

  /** Tries until it is recorded, or the signal. */
  async #record(fault: FollowingFault, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !(await this.#recorded(fault))) {
      await delay(maxPauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #recorded(fault: FollowingFault): Promise<boolean> {
    const { database, task } = this.#options;
    try {
      await recordFault({ database, name: task.name, part: task.part, holder: this.#holder }, fault);
      return true;
    } catch (error) {
      this.#logger.warn({ err: error }, 'why it stopped could not be recorded for other processes');
      return false;
    }
  }

  async #rest(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}
