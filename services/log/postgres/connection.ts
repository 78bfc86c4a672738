import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import { beginSession, connectMilliseconds, createClient, type Purpose } from '../../postgres/connect.ts';
import type { SilenceWatch } from '../../postgres/silence.ts';

const firstPause = 20;
const longestPause = 1_000;

/** How often a connection that is idle is asked for a sign of life, and how long it may take, in milliseconds. */
const askEvery = 2_000;
const answerWithin = 3_000;

interface Connected {
  readonly client: pg.Client;
  readonly watch: SilenceWatch;
  /** Settles with why the connection ended. */
  readonly lost: Promise<unknown>;
}

export interface LastingConnectionOptions {
  readonly config: pg.ClientConfig;
  readonly purpose: Purpose;
  readonly logger: Logger;
  /** Makes a new connection ready; it is made again when this fails. */
  readonly makeReady: (client: pg.Client) => Promise<void>;
}

/**
 * One connection that is made again whenever it breaks, for as long as it is wanted; also when it breaks
 * without a word while nothing goes over it. It never throws at who does not ask: while it is broken
 * there is simply no `client`.
 */
export class LastingConnection {
  /** The connection as it is now. */
  client: pg.Client | undefined;
  readonly #options: LastingConnectionOptions;
  readonly #closing = new AbortController();
  readonly #closed = once(this.#closing.signal, 'abort');
  readonly #life: Promise<void>;
  #next = Promise.withResolvers<void>();
  /** Why there is no connection, for whoever gives up waiting. */
  failure: unknown;

  constructor(options: LastingConnectionOptions) {
    this.#options = options;
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
        const connected = await this.#connect();
        pause = firstPause;
        this.failure = await this.#serve(connected);
        if (!this.#closing.signal.aborted)
          this.#options.logger.warn({ err: this.failure }, 'connection lost');
      } catch (error) {
        if (pause === firstPause) this.#options.logger.warn({ err: error }, 'no connection, trying on');
        this.failure = error;
        await delay(pause, undefined, { signal: this.#closing.signal }).catch(() => {});
        pause = Math.min(pause * 2, longestPause);
      }
    }
    this.#next.resolve();
  }

  async #connect(): Promise<Connected> {
    const { config, purpose, makeReady } = this.#options;
    const client = createClient(config, purpose);
    const lost = Promise.withResolvers<unknown>();
    client.on('error', (error) => lost.resolve(error));
    client.on('end', () => lost.resolve(new Error('the connection ended')));
    const destroy = () => client.connection.stream.destroy(new Error('not ready in time, or closed'));
    const late = setTimeout(destroy, connectMilliseconds);
    this.#closing.signal.addEventListener('abort', destroy);
    try {
      await client.connect();
      const watch = await beginSession(client, purpose);
      await makeReady(client);
      return { client, watch, lost: lost.promise };
    } catch (error) {
      destroy();
      throw error;
    } finally {
      clearTimeout(late);
      this.#closing.signal.removeEventListener('abort', destroy);
    }
  }

  async #serve({ client, watch, lost }: Connected): Promise<unknown> {
    this.client = client;
    this.#next.resolve();
    this.#next = Promise.withResolvers();
    const asking = setInterval(() => {
      if (!watch.owes) this.#ask(client);
    }, askEvery);
    const reason = await Promise.race([lost, this.#closed]);
    clearInterval(asking);
    this.client = undefined;
    await this.#end(client);
    return reason;
  }

  /** Breaks a connection that gives no sign of life. */
  #ask(client: pg.Client): void {
    const late = setTimeout(() => this.break('the server gives no sign of life'), answerWithin);
    const done = () => clearTimeout(late);
    client.query('select').then(done, done);
  }

  async #end(client: pg.Client): Promise<void> {
    const late = setTimeout(() => client.connection.stream.destroy(), connectMilliseconds);
    await client.end();
    clearTimeout(late);
  }
}
