/** Listens to what something here needs, once each, for as long as it is needed. */
export class Listeners {
  readonly #begin: (name: string) => () => void;
  readonly #listened = new Map<string, { users: number; stop(): void }>();

  /** @param begin begins to listen under a name, and returns how to stop. */
  constructor(begin: (name: string) => () => void) {
    this.#begin = begin;
  }

  /** Listens; it is to be let go of once for each time. */
  listen(name: string): void {
    const known = this.#listened.get(name);
    if (known !== undefined) known.users += 1;
    else this.#listened.set(name, { users: 1, stop: this.#begin(name) });
  }

  /** Lets go of it. */
  unlisten(name: string): void {
    const known = this.#listened.get(name);
    if (known === undefined) return;
    known.users -= 1;
    if (known.users > 0) return;
    this.#listened.delete(name);
    known.stop();
  }

  /** What is listened to just now. */
  names(): string[] {
    return [...this.#listened.keys()];
  }
}
