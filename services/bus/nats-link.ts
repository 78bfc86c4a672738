import { setTimeout as delay } from 'node:timers/promises';
import { connect, Events, type NatsConnection, type Subscription } from 'nats';
import pTimeout from 'p-timeout';
import type { Logger } from 'pino';
import { connectionOptions, connectTimeoutMs, permanentFailure, reconnectPauseMs } from './nats-options.ts';

/** The most bytes that may be sent without the server having confirmed them; further messages are dropped. */
const maxUnconfirmedBytes = 16 * 1024 * 1024;

export interface LinkEvents {
  /** The connection is lost: until it is restored, no message is delivered, since others would be missing. */
  lost(): void;
  /** Every subscription is established; from now on all messages are delivered. */
  restored(): void;
  /** A message could not be read. */
  unreadable(): void;
}

interface Listening {
  listeners: number;
  readonly receive: (message: Uint8Array) => void;
  subscription: Subscription | undefined;
}

/**
 * A connection to NATS with its subscriptions, which reconnects for ever. Between a loss of the connection and the
 * moment when every subscription is established again, no messages are delivered.
 */
export class NatsLink {
  readonly #url: string;
  readonly #logger: Logger;
  readonly #events: LinkEvents;
  readonly #closing = new AbortController();
  /** By subject: the number of listeners, and what a message is passed to. */
  readonly #listening = new Map<string, Listening>();
  #connection: NatsConnection | undefined;
  #subscribed = false;
  #unconfirmedBytes = 0;
  #confirming = false;

  constructor(url: string, logger: Logger, events: LinkEvents) {
    this.#url = url;
    this.#logger = logger;
    this.#events = events;
  }

  /** Whether messages are sent and delivered now. */
  get works(): boolean {
    return this.#subscribed && !this.#closing.signal.aborted;
  }

  /** Connects. If the server does not answer within 3 s, it goes on trying later. @throws Error if the server refuses */
  async begin(): Promise<void> {
    const connected = this.#connect();
    const late = Symbol();
    const first = await pTimeout(connected, { milliseconds: connectTimeoutMs, fallback: () => late });
    if (first !== late) return;
    this.#logger.warn('NATS does not answer; retrying');
    connected.catch((error) => this.#logger.error({ err: error }, 'NATS cannot be used'));
  }

  /** Passes each message of a subject to `receive`. @returns a function that ends this */
  listen(subject: string, receive: (message: Uint8Array) => void): () => void {
    const listening = this.#listening.get(subject) ?? { listeners: 0, receive, subscription: undefined };
    if (listening.listeners++ === 0) {
      this.#listening.set(subject, listening);
      listening.subscription = this.#subscribe(subject, listening);
    }
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      if (--listening.listeners > 0) return;
      this.#listening.delete(subject);
      if (!this.#closing.signal.aborted) listening.subscription?.unsubscribe();
    };
  }

  /** Whether a message is small enough for the server. */
  fits(message: Uint8Array): boolean {
    return message.length <= (this.#connection?.info?.max_payload ?? Number.POSITIVE_INFINITY);
  }

  /** Sends a message, or drops it if it cannot be sent now. */
  send(subject: string, message: Uint8Array): void {
    if (!this.works || this.#unconfirmedBytes > maxUnconfirmedBytes) return;
    try {
      this.#connection?.publish(subject, message);
      this.#unconfirmedBytes += message.length;
    } catch (error) {
      this.#logger.warn({ err: error, subject }, 'a message was not sent to NATS');
    }
  }

  /** Asks the server to confirm what was sent so far, unless such a request is pending. */
  confirm(): void {
    if (this.#confirming || this.#unconfirmedBytes === 0 || !this.#connection) return;
    this.#confirming = true;
    const sent = this.#unconfirmedBytes;
    const done = () => {
      this.#confirming = false;
      this.#unconfirmedBytes = Math.max(0, this.#unconfirmedBytes - sent);
    };
    this.#connection.flush().then(done, done);
  }

  /** Resolves with true once the server has processed everything so far; with false if the connection is lost. */
  async flushed(): Promise<boolean> {
    if (!this.works || !this.#connection) return false;
    return this.#connection.flush().then(
      () => true,
      () => false,
    );
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#connection?.close();
  }

  async #connect(): Promise<void> {
    const options = connectionOptions(this.#url);
    while (!this.#closing.signal.aborted) {
      try {
        await this.#use(await connect(options));
        return;
      } catch (error) {
        const failure = permanentFailure(error);
        if (failure) throw failure;
        await delay(reconnectPauseMs, undefined, this.#closing).catch(() => undefined);
      }
    }
  }

  async #use(connection: NatsConnection): Promise<void> {
    if (this.#closing.signal.aborted) {
      await connection.close();
      return;
    }
    this.#connection = connection;
    for (const [subject, listening] of this.#listening) {
      listening.subscription = this.#subscribe(subject, listening);
    }
    void this.#watch(connection);
    await this.#resume().catch(() => undefined);
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const { type, data } of connection.status()) {
      if (type === Events.Disconnect) {
        this.#subscribed = false;
        this.#unconfirmedBytes = 0;
        this.#events.lost();
        this.#logger.warn('the connection to NATS is lost');
      } else if (type === Events.Reconnect) {
        this.#resume().catch(() => undefined);
      } else if (type === Events.Error) {
        this.#logger.error({ error: data }, 'NATS reports an error');
      }
    }
    const error = await connection.closed();
    if (error) this.#logger.error({ err: error }, 'the connection to NATS is closed for good');
    this.#subscribed = false;
  }

  /** Waits until the server has processed every subscription. */
  async #resume(): Promise<void> {
    await this.#connection?.flush();
    if (this.#closing.signal.aborted) return;
    this.#subscribed = true;
    this.#logger.info('connected to NATS');
    this.#events.restored();
  }

  #subscribe(subject: string, { receive }: Listening): Subscription | undefined {
    if (this.#closing.signal.aborted) return undefined;
    return this.#connection?.subscribe(subject, {
      callback: (error, message) => {
        if (error || !this.#subscribed) return;
        try {
          receive(message.data);
        } catch (failure) {
          this.#logger.error({ err: failure, subject }, 'a message of NATS cannot be read');
          this.#events.unreadable();
        }
      },
    });
  }
}
