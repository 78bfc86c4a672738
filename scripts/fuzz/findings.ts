/** The number of findings printed of each kind: a fault is often hit thousands of times. */
const shownOfAKind = 3;

/** Gathers the faults of a run, and shows the first of each kind at once. */
export class Findings {
  readonly #counts = new Map<string, number>();
  readonly #show: (text: string) => void;

  constructor(show: (text: string) => void) {
    this.#show = show;
  }

  /**
   * @param kind what is wrong; findings of one kind are counted together
   * @param cause the request or frame that caused it
   */
  add(kind: string, cause: string, detail = ''): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count <= shownOfAKind) this.#show(`FOUND ${kind}\n  ${cause}${detail && `\n  ${detail}`}`);
  }

  /** How often each kind was found. */
  counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}
