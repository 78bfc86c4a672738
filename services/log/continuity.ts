import type { Logger } from 'pino';
import { type LogIdentity, type LogInspector, StrangeLog } from './identity.ts';
import type { EventId, Position } from './log.ts';

/**
 * Detects that a log has lost events. A server may come back with an older copy of its data, when a standby
 * that lagged took over or a backup was restored; all that a process remembers of the log is then wrong,
 * although every connection works. So each new connection is asked for the last event that this process has
 * seen. If it is missing, the log begins another epoch, and every listener discards what it remembers
 * before anything is appended (docs/failures.md, A log that went back).
 */
export class Continuity {
  /** Grows by one each time the log turns out to have changed. */
  generation = 0;
  readonly #logger: Logger;
  readonly #listeners = new Set<() => void>();
  #identity: LogIdentity | undefined;
  #last: { readonly position: Position; readonly id: EventId } | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Remembers an event of the log if it is the last one seen. */
  noteEvent({ position, id }: { readonly position: Position; readonly id: EventId }): void {
    if (this.#last === undefined || position > this.#last.position) this.#last = { position, id };
  }

  /** Remembers the log's identity if none is known yet. @returns its argument */
  noteIdentity<Identity extends LogIdentity | undefined>(identity: Identity): Identity {
    this.#identity ??= identity;
    return identity;
  }

  /** Calls `listener` as soon as the log is found to have changed. @returns a function that removes it */
  onChanged(listener: () => void): () => void {
    // One function may be added twice, so the set holds a new one for each call.
    const entry = () => listener();
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  /**
   * Compares what a server holds with what is known of the log.
   * @throws StrangeLog if it is another installation's; what the inspector throws
   */
  async check(inspector: LogInspector): Promise<void> {
    const { generation } = this;
    const last = this.#last;
    const known = this.#identity;
    const { identity, id } = await inspector.inspect(last?.position);
    if (generation !== this.generation) return this.check(inspector);
    if (known !== undefined && identity?.installation !== known.installation) {
      throw new StrangeLog(
        `the log of the installation ${known.installation} was followed, and this one ` +
          `${identity === undefined ? 'has no identity' : `belongs to ${identity.installation}`}`,
      );
    }
    const lacksLast = last !== undefined && id !== last.id;
    const sameEpoch = known === undefined || identity?.epoch === known.epoch;
    if (!lacksLast && sameEpoch) {
      this.#identity = identity;
      return;
    }
    const next = lacksLast && sameEpoch && identity ? await inspector.beginEpoch(identity.epoch) : identity;
    if (generation !== this.generation) return this.check(inspector);
    this.#logger.error(
      { epoch: next?.epoch, lacked: last?.position },
      'the log went back: it lacks events that were read, so it was replaced by an older copy; what was ' +
        'acknowledged since that copy is lost. Everything starts again from what the log holds',
    );
    this.#identity = next;
    this.#last = undefined;
    this.generation++;
    for (const listener of [...this.#listeners]) listener();
  }
}
