/** Lets few do something at once; the others wait in a line that is not endless. */
export class FewAtOnce {
  #free: number;
  readonly #longestLine: number;
  readonly #line: (() => void)[] = [];

  constructor(atOnce: number, longestLine: number) {
    this.#free = atOnce;
    this.#longestLine = longestLine;
  }

  /** Whether one who comes now would be let in, at once or after a while. */
  get open(): boolean {
    return this.#free > 0 || this.#line.length < this.#longestLine;
  }

  /** Does the work when it is its turn. @throws what the work throws */
  async take<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#line.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#line.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
