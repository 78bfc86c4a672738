import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { FollowingFault } from '../log/following-fault.ts';
import { readFault } from './checkpoint.ts';
import type { ReadDatabase } from './tables.ts';

/** How often it is read: a decision to pass an event over is to hold everywhere within a second. */
const readEveryMs = 500;

export interface ReadModelsFaultOptions {
  readonly database: ReadDatabase;
  readonly logger: Logger;
}

/** Why the read models do not follow the log, known to a process whose projector did not stop, or that has none. */
export class ReadModelsFault {
  readonly #options: ReadModelsFaultOptions;
  readonly #stopping = new AbortController();
  #fault: FollowingFault | undefined;
  #running: Promise<void> = Promise.resolve();

  private constructor(options: ReadModelsFaultOptions) {
    this.#options = options;
  }

  /** Reads it, and follows it from then on. */
  static async open(options: ReadModelsFaultOptions): Promise<ReadModelsFault> {
    const opened = new ReadModelsFault(options);
    await opened.#read();
    opened.#running = opened.#follow();
    return opened;
  }

  /** Undefined while they follow it. */
  get fault(): FollowingFault | undefined {
    return this.#fault;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await delay(readEveryMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.#read();
    }
  }

  /** If it cannot be read, the last answer holds: that the database is away is reported by others. */
  async #read(): Promise<void> {
    const { database, logger } = this.#options;
    const before = this.#fault;
    this.#fault = await readFault(database).catch(() => before);
    if (this.#fault !== undefined && this.#fault.reason !== before?.reason) {
      logger.error(this.#fault, 'commands are refused: the read models do not follow the log');
    } else if (this.#fault === undefined && before !== undefined) {
      logger.info('commands are carried out again: the read models follow the log');
    }
  }
}
