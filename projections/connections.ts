import { Client, type ClientConfig } from 'pg';

/** So long a connection may take to stand, in milliseconds. */
const patience = 5_000;

/** A projector's connections, which stand and fall together. */
export class Connections {
  readonly #config: ClientConfig;
  readonly #fail: (error: unknown) => void;
  readonly #open = new Set<Client>();

  /**
   * @param database a connection string, or what `pg` takes
   * @param fail hears of each connection that breaks or ends
   */
  constructor(database: string | ClientConfig, fail: (error: unknown) => void) {
    this.#config = typeof database === 'string' ? { connectionString: database } : database;
    this.#fail = fail;
  }

  /** Opens one more. @throws what `pg` throws where there is none */
  async open(): Promise<Client> {
    const client = new Client({
      connectionTimeoutMillis: patience,
      keepAlive: true,
      application_name: 'bubble-im projector',
      ...this.#config,
    });
    client.on('error', this.#fail);
    client.on('end', () => this.#fail(new Error('the connection ended')));
    this.#open.add(client);
    await client.connect();
    return client;
  }

  /** Breaks all of them, so that nothing waits on them any longer. */
  cut(error: unknown): void {
    const reason = error instanceof Error ? error : new Error(String(error));
    for (const client of this.#open) client.connection.stream.destroy(reason);
  }

  /** Ends all of them in good order; never fails. */
  async end(): Promise<void> {
    await Promise.all(Array.from(this.#open, (client) => client.end().catch(() => undefined)));
    this.#open.clear();
  }
}
