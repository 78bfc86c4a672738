import { setTimeout as delay } from 'node:timers/promises';
import { LogChanged, StrangeLog } from '../log/identity.ts';
import { type EventLog, LogFailure, type Position, type RecordedEvent } from '../log/log.ts';

/** The pause before the next attempt while the log does not answer, or is another installation's. */
const retryPauseMs = 200;

export interface LogFollowerOptions {
  readonly log: Pick<EventLog, 'end' | 'subscribe'>;
  readonly prefixes: readonly string[];
  readonly onRecord: (record: RecordedEvent) => void;
  /** Called when following stops for any reason: what was kept may be wrong. */
  readonly onInterrupted: () => void;
  /**
   * Called when the log has changed and answers again, before it is followed on. It may throw LogFailure and
   * LogChanged; it is then called again.
   */
  readonly onLogChanged: () => Promise<void>;
  /** Called with any other error, after which the log is no longer followed. */
  readonly onFailure: (error: unknown) => void;
}

/** Follows streams of the log from its present end on, also after the log has changed. */
export class LogFollower {
  readonly #options: LogFollowerOptions;
  readonly #stopping = new AbortController();
  #following: Promise<void> = Promise.resolve();

  constructor(options: LogFollowerOptions) {
    this.#options = options;
  }

  start(after: Position): void {
    this.#following = this.#follow(after);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#following;
  }

  async #follow(after: Position): Promise<void> {
    const { log, prefixes, onRecord, onInterrupted, onFailure } = this.#options;
    const { signal } = this.#stopping;
    let from = after;
    while (!signal.aborted) {
      try {
        for await (const batch of log.subscribe({ after: from, prefixes, signal })) {
          for (const record of batch) onRecord(record);
          from = batch.at(-1)?.position ?? from;
        }
      } catch (error) {
        onInterrupted();
        if (error instanceof LogChanged) {
          from = await this.#restart(from);
        } else if (error instanceof StrangeLog) {
          // The installation's own log may come back. Nothing is appended to this one.
          await this.#pause();
        } else {
          onFailure(error);
          return;
        }
      }
    }
  }

  /** The end of the log once it answers, or `otherwise` if this is stopped first. */
  async #restart(otherwise: Position): Promise<Position> {
    const { log, onLogChanged } = this.#options;
    while (!this.#stopping.signal.aborted) {
      try {
        const end = await log.end();
        await onLogChanged();
        return end;
      } catch (error) {
        if (!(error instanceof LogFailure || error instanceof LogChanged)) throw error;
        await this.#pause();
      }
    }
    return otherwise;
  }

  async #pause(): Promise<void> {
    const { signal } = this.#stopping;
    await delay(retryPauseMs, undefined, { signal }).catch(() => undefined);
  }
}
