import { FairLine, type Share } from '../fair-line.ts';

/** Who has waited longer for their turn is refused, so that an outage of the log holds nobody up for long. */
const patience = 5_000;

/** The caller who goes before all others: who holds the server's key ends what a person does. */
const first = 'server';

/** CommandsUnderWay bounds what one person has under way. */
const most = Number.POSITIVE_INFINITY;

/**
 * Lets those who would get into each other's way act one after the other: the callers in turns, so that one
 * who asks a hundred times holds nobody else up for longer than one turn; each caller in the order of asking.
 */
export class Turns {
  /** A line for each name of which somebody has the turn. */
  readonly #lines = new Map<string, FairLine>();

  /**
   * Does `work` when it is the caller's turn under `name`.
   * @throws Refusal notReady where that took too long; what `work` throws
   */
  async take<Result>(name: string, caller: string, work: () => Promise<Result>): Promise<Result> {
    const share: Share = { of: caller, most };
    const line = this.#lines.get(name) ?? new FairLine({ atOnce: 1, patience, first });
    this.#lines.set(name, line);
    try {
      return await line.take(share, work);
    } finally {
      if (line.idle) this.#lines.delete(name);
    }
  }
}
