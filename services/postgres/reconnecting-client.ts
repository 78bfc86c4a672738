import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import { beginSession, connectTimeoutMs, createClient, type Purpose } from './connect.ts';
import type { SilenceWatch } from './silence.ts';

const firstPauseMs = 20;
const maxPauseMs = 1_000;

/** How often an idle connection is checked, and how long the server may take to answer. */
const checkEveryMs = 2_000;
const checkTimeoutMs = 3_000;

interface Connected {
  readonly client: pg.Client;
  readonly watch: SilenceWatch;
  /** Resolves with the reason when the connection ends. */
  readonly lost: Promise<unknown>;
}

export interface ReconnectingClientOptions {
  readonly config: pg.ClientConfig;
  readonly purpose: Purpose;
  readonly logger: Logger;
  /** Prepares a new connection; if it throws, another one is made. */
  readonly makeReady: (client: pg.Client) => Promise<void>;
}

/**
 * One connection that is made again whenever it breaks, until it is closed; also if it breaks silently while it is
 * idle. It does not throw or emit errors: while the connection is broken, `client` is undefined.
 */
export class ReconnectingClient {
  /** The present connection. */
  client: pg.Client | undefined;
  readonly #options: ReconnectingClientOptions;
  readonly #closing = new AbortController();
  readonly #closed = once(this.#closing.signal, 'abort');
  readonly #ended: Promise<void>;
  #next = Promise.withResolvers<void>();
  /** Why there is no connection, for callers that stop waiting. */
  failure: unknown;

  constructor(options: ReconnectingClientOptions) {
    this.#options = options;
    this.#ended = this.#connectForEver();
  }

  /** The connection as soon as there is one; undefined if this is closed first. */
  async connected(): Promise<pg.Client | undefined> {
    while (!this.client && !this.#closing.signal.aborted) await this.#next.promise;
    return this.client;
  }

  /** Destroys the connection, whose queries then fail; another one is made. */
  break(reason: string): void {
    this.client?.connection.stream.destroy(new Error(reason));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#ended;
  }

  async #connectForEver(): Promise<void> {
    let pauseMs = firstPauseMs;
    while (!this.#closing.signal.aborted) {
      try {
        const connected = await this.#connect();
        pauseMs = firstPauseMs;
        this.failure = await this.#serve(connected);
        if (!this.#closing.signal.aborted)
          this.#options.logger.warn({ err: this.failure }, 'connection lost');
      } catch (error) {
        if (pauseMs === firstPauseMs) this.#options.logger.warn({ err: error }, 'cannot connect; retrying');
        this.failure = error;
        await delay(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => {});
        pauseMs = Math.min(pauseMs * 2, maxPauseMs);
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
    const late = setTimeout(destroy, connectTimeoutMs);
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
    const checks = setInterval(() => {
      if (!watch.awaitsAnswer) this.#check(client);
    }, checkEveryMs);
    const reason = await Promise.race([lost, this.#closed]);
    clearInterval(checks);
    this.client = undefined;
    await this.#end(client);
    return reason;
  }

  /** Breaks the connection if the server does not answer an empty query. */
  #check(client: pg.Client): void {
    const late = setTimeout(() => this.break('the server does not answer'), checkTimeoutMs);
    const done = () => clearTimeout(late);
    client.query('select').then(done, done);
  }

  async #end(client: pg.Client): Promise<void> {
    const late = setTimeout(() => client.connection.stream.destroy(), connectTimeoutMs);
    await client.end();
    clearTimeout(late);
  }
}
