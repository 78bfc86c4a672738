import type { Client } from 'pg';
import {
  beginSession,
  createClient,
  type DatabaseConfig,
  type Purpose,
} from '../../services/postgres/connect.ts';
import type { SilenceWatch } from '../../services/postgres/silence.ts';

/** How long connections may take to end, in milliseconds. */
const endMilliseconds = 1_000;

/** A projector's connections, which stand and fall together. */
export class Connections {
  readonly #database: DatabaseConfig;
  readonly #fail: (error: unknown) => void;
  readonly #open = new Set<Client>();

  /**
   * @param fail hears of each connection that breaks or ends
   */
  constructor(database: DatabaseConfig, fail: (error: unknown) => void) {
    this.#database = database;
    this.#fail = fail;
  }

  /** Opens one more. @throws what `pg` throws where there is none */
  async open(purpose: Purpose): Promise<{ client: Client; watch: SilenceWatch }> {
    const client = createClient(this.#database, purpose);
    client.on('error', this.#fail);
    client.on('end', () => this.#fail(new Error('the connection ended')));
    this.#open.add(client);
    await client.connect();
    const watch = await beginSession(client, purpose);
    return { client, watch };
  }

  /** Breaks all of them, so that nothing waits on them any longer. */
  cut(error: unknown): void {
    const reason = error instanceof Error ? error : new Error(String(error));
    for (const client of this.#open) client.connection.stream.destroy(reason);
  }

  /** Ends all of them in good order, or cuts those that do not end in time; never fails. */
  async end(): Promise<void> {
    const late = setTimeout(() => this.cut('the connection does not end in time'), endMilliseconds);
    await Promise.all(Array.from(this.#open, (client) => client.end().catch(() => undefined)));
    clearTimeout(late);
    this.#open.clear();
  }
}
