import { Refusal } from '../../contracts/codes.ts';

/** Who has waited longer for their turn is refused, so that an outage of the log holds nobody up for long. */
const patienceMilliseconds = 5_000;

/** Lets those who would get into each other's way act one after the other, in the order of their asking. */
export class Turns {
  /** For each name the end of the last turn that was given. */
  readonly #ends = new Map<string, Promise<void>>();

  /**
   * Does `work` once all that was asked for under the same name is done.
   * @throws Refusal notReady where that took too long; what `work` throws
   */
  async take<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#ends.get(name);
    const asked = performance.now();
    const result = before
      ? before.then(() => {
          if (performance.now() - asked > patienceMilliseconds) throw new Refusal('notReady');
          return work();
        })
      : work();
    const end = result.then(
      () => undefined,
      () => undefined,
    );
    this.#ends.set(name, end);
    try {
      return await result;
    } finally {
      if (this.#ends.get(name) === end) this.#ends.delete(name);
    }
  }
}
