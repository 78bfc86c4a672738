import { FairQueue, type Share } from '../fair-queue.ts';

/** A command that has waited longer for its turn is refused, so that an outage of the log blocks no caller for long. */
const timeoutMs = 5_000;

/** The holder of the server's key goes first: it ends what a person floods a stream with. */
const first = 'server';

/** services/api/calls-under-way.ts limits how many calls of one person wait. */
const maxWaiting = Number.POSITIVE_INFINITY;

/**
 * Runs the commands on one stream one after the other: round-robin over the callers, so that a caller with a
 * hundred commands delays the others by one of them, and the commands of a caller in the order of the calls.
 */
export class Turns {
  /** A queue for each name under which work runs. */
  readonly #queues = new Map<string, FairQueue>();

  /**
   * Runs `work` when it is the caller's turn under `name`.
   * @throws Refusal notReady after 5 s of waiting; what `work` throws
   */
  async run<Result>(name: string, caller: string, work: () => Promise<Result>): Promise<Result> {
    const share: Share = { of: caller, maxWaiting };
    const queue = this.#queues.get(name) ?? new FairQueue({ maxRunning: 1, timeoutMs, first });
    this.#queues.set(name, queue);
    try {
      return await queue.run(share, work);
    } finally {
      if (queue.idle) this.#queues.delete(name);
    }
  }
}
