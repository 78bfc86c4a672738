import type { Client } from 'pg';

/** How often the progress is shown at most. */
const everyMs = 1_000;

/**
 * Shows how far a backup is in the name of its connection, for the time that this lasts: the console reads the names of
 * all connections (`findConnections` in services/queries/system.ts), and nothing has to be removed after a crash.
 */
export class ShownProgress {
  readonly #client: Client;
  readonly #name: string;
  #events = 0;
  #uploads = 0;
  #shownAt = Number.NEGATIVE_INFINITY;

  /** @param name the connection's, to which the progress is added */
  constructor(client: Client, name: string) {
    this.#client = client;
    this.#name = name;
  }

  /** More was copied. Returns at once; a failure shows in the next statement of the backup. */
  add({ events = 0, uploads = 0 }: { readonly events?: number; readonly uploads?: number }): void {
    this.#events += events;
    this.#uploads += uploads;
    if (performance.now() - this.#shownAt >= everyMs) this.show();
  }

  /** Shows what was copied so far. Returns at once, too. */
  show(): void {
    this.#shownAt = performance.now();
    const text = `${this.#name}: ${this.#events} events, ${this.#uploads} uploads`;
    this.#client.query(`select set_config('application_name', $1, false)`, [text]).catch(() => undefined);
  }
}
