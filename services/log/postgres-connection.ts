import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';

const firstPause = 20;
const longestPause = 1_000;

/** How long connecting and preparing may take. */
const connectMilliseconds = 5_000;

/**
 * One connection that is made again whenever it breaks, for as long as it is wanted. It never throws
 * at who does not ask: while it is broken there is simply no `client`.
 */
export class LastingConnection {
  /** The connection as it is now. */
  client: pg.Client | undefined;
  readonly #config: pg.ClientConfig;
  /** Makes a new connection ready; it is made again when this fails. */
  readonly #makeReady: (client: pg.Client) => Promise<void>;
  readonly #logger: Logger;
  readonly #closing = new AbortController();
  readonly #life: Promise<void>;
  #next = Promise.withResolvers<void>();
  /** Why there is no connection, for whoever gives up waiting. */
  failure: unknown;

  constructor(config: pg.ClientConfig, logger: Logger, makeReady: (client: pg.Client) => Promise<void>) {
    this.#config = config;
    this.#logger = logger;
    this.#makeReady = makeReady;
    this.#life = this.#live();
  }

  /** The connection, once there is one; undefined when it was closed instead. */
  async connected(): Promise<pg.Client | undefined> {
    while (!this.client && !this.#closing.signal.aborted) await this.#next.promise;
    return this.client;
  }

  /** Breaks the connection, as one does whose server no longer answers. What is under way on it fails. */
  break(reason: string): void {
    this.client?.connection.stream.destroy(new Error(reason));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#life;
  }

  async #live(): Promise<void> {
    let pause = firstPause;
    while (!this.#closing.signal.aborted) {
      try {
        const { client, lost } = await this.#connect();
        pause = firstPause;
        this.failure = await this.#serve(client, lost);
        if (!this.#closing.signal.aborted) this.#logger.warn({ err: this.failure }, 'connection lost');
      } catch (error) {
        if (pause === firstPause) this.#logger.warn({ err: error }, 'no connection, trying on');
        this.failure = error;
        await delay(pause, undefined, { signal: this.#closing.signal }).catch(() => {});
        pause = Math.min(pause * 2, longestPause);
      }
    }
    this.#next.resolve();
  }

  /** Makes a connection; `lost` settles with why it ended. */
  async #connect(): Promise<{ client: pg.Client; lost: Promise<unknown> }> {
    const client = new pg.Client({ keepAlive: true, ...this.#config });
    const lost = Promise.withResolvers<unknown>();
    client.on('error', (error) => lost.resolve(error));
    client.on('end', () => lost.resolve(new Error('the connection ended')));
    const destroy = () => client.connection.stream.destroy(new Error('not ready in time, or closed'));
    const late = setTimeout(destroy, connectMilliseconds);
    this.#closing.signal.addEventListener('abort', destroy);
    try {
      await client.connect();
      await this.#makeReady(client);
    } catch (error) {
      destroy();
      throw error;
    } finally {
      clearTimeout(late);
      this.#closing.signal.removeEventListener('abort', destroy);
    }
    return { client, lost: lost.promise };
  }

  async #serve(client: pg.Client, lost: Promise<unknown>): Promise<unknown> {
    this.client = client;
    this.#next.resolve();
    this.#next = Promise.withResolvers();
    const closed = new Promise((resolve) => {
      this.#closing.signal.addEventListener('abort', resolve, { once: true });
    });
    const reason = await Promise.race([lost, closed]);
    this.client = undefined;
    await this.#end(client);
    return reason;
  }

  async #end(client: pg.Client): Promise<void> {
    const late = setTimeout(() => client.connection.stream.destroy(), connectMilliseconds);
    await client.end();
    clearTimeout(late);
  }
}
