/** Listens to names, to each once, for as long as somebody here needs it. */
export class ReferenceCountedListeners {
  readonly #begin: (name: string) => () => void;
  readonly #listened = new Map<string, { users: number; stop(): void }>();

  /** @param begin begins to listen to a name, and returns a function that stops it */
  constructor(begin: (name: string) => () => void) {
    this.#begin = begin;
  }

  /** Listens to a name until `unlisten` has been called as often. */
  listen(name: string): void {
    const known = this.#listened.get(name);
    if (known !== undefined) known.users += 1;
    else this.#listened.set(name, { users: 1, stop: this.#begin(name) });
  }

  unlisten(name: string): void {
    const known = this.#listened.get(name);
    if (known === undefined) return;
    known.users -= 1;
    if (known.users > 0) return;
    this.#listened.delete(name);
    known.stop();
  }

  /** The names that are listened to. */
  names(): string[] {
    return [...this.#listened.keys()];
  }
}
