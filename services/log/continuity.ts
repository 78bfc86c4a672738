import type { Logger } from 'pino';
import { type LogIdentity, type LogSight, StrangeLog } from './identity.ts';
import type { EventId, Position } from './log.ts';

/**
 * Knows whether the log is still the one that it was. A server may come back with an older copy of
 * its data: a standby that lagged took over, or a backup was restored. Whatever a process remembers of
 * the log is then wrong, although every connection works. So each new connection is asked for the last
 * event that this process has seen; if it is not there, the log begins another epoch, and everything
 * that remembers lets go before anything is appended (docs/architecture.md, A log that went back).
 */
export class Continuity {
  /** Grows each time the log turns out to be another than it was. */
  generation = 0;
  readonly #logger: Logger;
  readonly #listeners = new Set<() => void>();
  #identity: LogIdentity | undefined;
  #last: { readonly position: Position; readonly id: EventId } | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Notes an event of the log. */
  saw({ position, id }: { readonly position: Position; readonly id: EventId }): void {
    if (this.#last === undefined || position > this.#last.position) this.#last = { position, id };
  }

  /** Notes the log's identity if none is known yet. @returns what was given */
  learn<Identity extends LogIdentity | undefined>(identity: Identity): Identity {
    this.#identity ??= identity;
    return identity;
  }

  /** Calls `hear` at once when the log is found to be another. Returns how to stop. */
  onChanged(hear: () => void): () => void {
    const listener = () => hear();
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Compares what a server holds with what is known of the log.
   * @throws StrangeLog if it is another installation's, and what the sight throws
   */
  async check(sight: LogSight): Promise<void> {
    const { generation } = this;
    const last = this.#last;
    const known = this.#identity;
    const { identity, id } = await sight.look(last?.position);
    if (generation !== this.generation) return this.check(sight);
    if (known !== undefined && identity?.installation !== known.installation) {
      throw new StrangeLog(
        `the log of the installation ${known.installation} was followed, and this one ` +
          `${identity === undefined ? 'names none' : `is that of ${identity.installation}`}`,
      );
    }
    const lacks = last !== undefined && id !== last.id;
    const sameEpoch = known === undefined || identity?.epoch === known.epoch;
    if (!lacks && sameEpoch) {
      this.#identity = identity;
      return;
    }
    const next = lacks && sameEpoch && identity ? await sight.beginEpoch(identity.epoch) : identity;
    if (generation !== this.generation) return this.check(sight);
    this.#logger.error(
      { epoch: next?.epoch, lacked: last?.position },
      'the log went back: it lacks events that were read. It was replaced by an older copy; what was ' +
        'acknowledged since that copy is lost. Everything begins anew from what the log holds',
    );
    this.#identity = next;
    this.#last = undefined;
    this.generation++;
    for (const hear of [...this.#listeners]) hear();
  }
}
