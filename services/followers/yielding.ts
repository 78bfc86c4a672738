import type { EventLog, Position } from '../log/log.ts';

/** No rest is longer, in milliseconds: the lag of a follower that yields stays seconds behind its last batch. */
const longestRestMs = 1_000;

/**
 * How long a follower rests after each batch, so that it never slows those who write to the log: while the log grows,
 * it works for `share` of the time; while it does not, all of it. It lags under load, and catches up afterwards.
 */
export class Yielding {
  readonly #log: Pick<EventLog, 'end'>;
  readonly #prefixes: readonly string[];
  readonly #share: number;
  #end: Position | undefined;

  /** @param share of the time, above 0 and at most 1 */
  constructor(log: Pick<EventLog, 'end'>, prefixes: readonly string[], share: number) {
    this.#log = log;
    this.#prefixes = prefixes;
    this.#share = share;
  }

  /** @param tookMs how long the batch took. @throws LogFailure */
  async restMs(tookMs: number): Promise<number> {
    const end = await this.#log.end(this.#prefixes);
    const grows = end !== this.#end;
    this.#end = end;
    return grows ? Math.min(longestRestMs, tookMs * (1 / this.#share - 1)) : 0;
  }
}
