import type { Checkpoint } from './checkpoint.ts';
import type { Head, Heads } from './heads.ts';

/** The heads with which a tree that is made anew is compared as it grows, in order: stored ones, and kept ones. */
export class ComingHeads {
  readonly #stored: Pick<Heads, 'next'>;
  readonly #upTo: number;
  readonly #kept: Checkpoint[];
  #nextStored: Head | undefined;
  #read = false;

  /** @param upTo the greatest size of the stored ones that count */
  constructor(stored: Pick<Heads, 'next'>, upTo: number, kept: readonly Checkpoint[]) {
    this.#stored = stored;
    this.#upTo = upTo;
    this.#kept = kept.toSorted((one, other) => one.size - other.size);
  }

  /** The next one. @throws what `pg` throws */
  async peek(): Promise<Checkpoint | Head | undefined> {
    if (!this.#read) await this.#readAfter(0);
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
    const next = await this.#stored.next(size);
    this.#nextStored = next && next.size <= this.#upTo ? next : undefined;
    this.#read = true;
  }
}
