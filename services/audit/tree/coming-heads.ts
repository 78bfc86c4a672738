import type { Checkpoint } from './checkpoint.ts';
import { ChangedHead, type Head, type Heads } from './heads.ts';

/** The heads with which a tree that is made anew is compared as it grows, in order: stored ones, and kept ones. */
export class ComingHeads {
  readonly #stored: Pick<Heads, 'next'>;
  readonly #upTo: number;
  readonly #kept: Checkpoint[];
  #nextStored: Head | undefined;
  #read = false;
  #changed: ChangedHead | undefined;

  /** @param upTo the greatest size of the stored ones that count */
  constructor(stored: Pick<Heads, 'next'>, upTo: number, kept: readonly Checkpoint[]) {
    this.#stored = stored;
    this.#upTo = upTo;
    this.#kept = kept.toSorted((one, other) => one.size - other.size);
  }

  /** The first stored head so far that was changed, and so passed over. */
  get changed(): ChangedHead | undefined {
    return this.#changed;
  }

  /** The next one. @throws what `pg` throws */
  async peek(): Promise<Checkpoint | Head | undefined> {
    // A head is of one event at least: the row of a smaller one was changed.
    if (!this.#read) await this.#readAfter(Number.MIN_SAFE_INTEGER);
    const [kept] = this.#kept;
    if (!kept || (this.#nextStored && this.#nextStored.size < kept.size)) return this.#nextStored;
    return kept;
  }

  /** Passes over the one that `peek` gave. */
  async pass(head: Checkpoint): Promise<void> {
    if (head === this.#nextStored) await this.#readAfter(head.size);
    else this.#kept.shift();
  }

  async #readAfter(size: number): Promise<void> {
    this.#read = true;
    for (let after = size; ; ) {
      const next = await this.#stored.next(after).catch((error: unknown) => {
        if (error instanceof ChangedHead) return error;
        throw error;
      });
      if (!(next instanceof ChangedHead)) {
        this.#nextStored = next && next.size <= this.#upTo ? next : undefined;
        return;
      }
      this.#changed ??= next;
      after = next.size;
    }
  }
}
