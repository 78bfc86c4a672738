import type { Client } from 'pg';
import { beginSession, createClient, type DatabaseConfig, type Purpose } from '../postgres/connect.ts';
import type { SilenceWatch } from '../postgres/silence.ts';

/** How long connections may take to end, in milliseconds. */
const endMs = 1_000;

/** A follower's connections: when one breaks, all are given up. */
export class Connections {
  readonly #database: DatabaseConfig;
  readonly #fail: (error: unknown) => void;
  readonly #open = new Set<Client>();

  /** @param fail called when a connection breaks or ends */
  constructor(database: DatabaseConfig, fail: (error: unknown) => void) {
    this.#database = database;
    this.#fail = fail;
  }

  /** Opens one more. @throws what `pg` throws if it cannot */
  async open(purpose: Purpose): Promise<{ client: Client; watch: SilenceWatch }> {
    const client = createClient(this.#database, purpose);
    client.on('error', this.#fail);
    client.on('end', () => this.#fail(new Error('the connection ended')));
    this.#open.add(client);
    await client.connect();
    const watch = await beginSession(client, purpose);
    return { client, watch };
  }

  /** Breaks all of them: what waits for an answer fails. */
  cut(error: unknown): void {
    const reason = error instanceof Error ? error : new Error(String(error));
    for (const client of this.#open) client.connection.stream.destroy(reason);
  }

  /** Ends all of them in good order, or cuts those that do not end in time; never fails. */
  async end(): Promise<void> {
    const late = setTimeout(() => this.cut('the connection does not end in time'), endMs);
    await Promise.all(Array.from(this.#open, (client) => client.end().catch(() => undefined)));
    clearTimeout(late);
    this.#open.clear();
  }
}
