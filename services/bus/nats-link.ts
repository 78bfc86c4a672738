import { setTimeout as delay } from 'node:timers/promises';
import {
  type ConnectionOptions,
  connect,
  ErrorCode,
  Events,
  type NatsConnection,
  NatsError,
  type Subscription,
} from 'nats';
import type { Logger } from 'pino';

/** So long a server is waited for at the start, in milliseconds. */
const patience = 3_000;

/** Between two tries to connect, in milliseconds. */
const pause = 200;

/** Errors that trying again does not mend. */
const refusals: ReadonlySet<string> = new Set([
  ErrorCode.AuthorizationViolation,
  ErrorCode.BadAuthentication,
  ErrorCode.BadCreds,
  ErrorCode.InvalidOption,
]);

/** So many bytes may be on their way without the server having confirmed; more is not sent. */
const mostUnconfirmed = 16 * 1024 * 1024;

/** What the one who uses a link is told of. */
export interface LinkEvents {
  /** The connection is lost: what comes until it is restored is not whole, and is not told. */
  lost(): void;
  /** All that is listened to is heard, from now on without a gap. */
  restored(): void;
  /** A message could not be read. */
  unreadable(): void;
}

interface Listening {
  listeners: number;
  readonly take: (message: Uint8Array) => void;
  subscription: Subscription | undefined;
}

/**
 * A connection to NATS that comes back without end, and what is listened to over it. Between a loss
 * and the moment when every subscription stands again nothing is told: it would not be whole.
 */
export class NatsLink {
  readonly #url: string;
  readonly #logger: Logger;
  readonly #events: LinkEvents;
  readonly #closing = new AbortController();
  /** What is listened to, how many times, and what is done with a message. */
  readonly #listening = new Map<string, Listening>();
  #connection: NatsConnection | undefined;
  #whole = false;
  #unconfirmed = 0;
  #confirming = false;

  constructor(url: string, logger: Logger, events: LinkEvents) {
    this.#url = url;
    this.#logger = logger;
    this.#events = events;
  }

  /** Whether it carries now. */
  get whole(): boolean {
    return this.#whole && !this.#closing.signal.aborted;
  }

  /** Connects, or goes on trying where there is no server. @throws Error where it refuses. */
  async begin(): Promise<void> {
    const connected = this.#connect();
    const waited = await Promise.race([connected, delay(patience, 'too long', { ref: false })]);
    if (waited !== 'too long') return;
    this.#logger.warn('NATS does not answer; going on trying');
    connected.catch((error) => this.#logger.error({ err: error }, 'NATS cannot be used'));
  }

  /** Hands each message of a subject to `take`. Returns how to stop. */
  listen(subject: string, take: (message: Uint8Array) => void): () => void {
    const listening = this.#listening.get(subject) ?? { listeners: 0, take, subscription: undefined };
    if (listening.listeners++ === 0) {
      this.#listening.set(subject, listening);
      listening.subscription = this.#subscribe(subject, listening);
    }
    return once(() => {
      if (--listening.listeners > 0) return;
      this.#listening.delete(subject);
      if (!this.#closing.signal.aborted) listening.subscription?.unsubscribe();
    });
  }

  /** Whether a message is small enough for the server. */
  fits(message: Uint8Array): boolean {
    return message.length <= (this.#connection?.info?.max_payload ?? Number.POSITIVE_INFINITY);
  }

  /** Sends, or drops what cannot be sent now. */
  send(subject: string, message: Uint8Array): void {
    if (this.#closing.signal.aborted || !this.#whole || this.#unconfirmed > mostUnconfirmed) return;
    try {
      this.#connection?.publish(subject, message);
      this.#unconfirmed += message.length;
    } catch (error) {
      this.#logger.warn({ err: error, subject }, 'a message was not sent to NATS');
    }
  }

  /** Has the server confirm what was sent so far, one time after the other. */
  confirm(): void {
    if (this.#confirming || this.#unconfirmed === 0 || !this.#connection) return;
    this.#confirming = true;
    const sent = this.#unconfirmed;
    const done = () => {
      this.#confirming = false;
      this.#unconfirmed = Math.max(0, this.#unconfirmed - sent);
    };
    this.#connection.flush().then(done, done);
  }

  /** Resolves, with true, once the server has taken all that was asked of it; false where it is lost. */
  async flushed(): Promise<boolean> {
    if (!this.whole || !this.#connection) return false;
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
        if (error instanceof NatsError && refusals.has(error.code)) {
          throw new Error(`NATS refuses the connection: ${error.message}`, { cause: error });
        }
        if (isOfCertificate(error)) {
          throw new Error(`the certificate of NATS is not to be trusted: ${error.message}`, { cause: error });
        }
        await delay(pause, undefined, this.#closing).catch(() => undefined);
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
        this.#whole = false;
        this.#unconfirmed = 0;
        this.#events.lost();
        this.#logger.warn('the connection to NATS is lost');
      } else if (type === Events.Reconnect) {
        this.#resume().catch(() => undefined);
      } else if (type === Events.Error) {
        this.#logger.error({ error: data }, 'NATS tells of an error');
      }
    }
    const error = await connection.closed();
    if (error) this.#logger.error({ err: error }, 'the connection to NATS is closed for good');
    this.#whole = false;
  }

  /** Goes on once every subscription stands. */
  async #resume(): Promise<void> {
    await this.#connection?.flush();
    if (this.#closing.signal.aborted) return;
    this.#whole = true;
    this.#logger.info('connected to NATS');
    this.#events.restored();
  }

  #subscribe(subject: string, { take }: Listening): Subscription | undefined {
    if (this.#closing.signal.aborted) return undefined;
    return this.#connection?.subscribe(subject, {
      callback: (error, message) => {
        if (error || !this.#whole) return;
        try {
          take(message.data);
        } catch (failure) {
          this.#logger.error({ err: failure, subject }, 'a message of NATS cannot be read');
          this.#events.unreadable();
        }
      },
    });
  }
}

/** Whether a server's certificate was not taken, by Node's names for the reasons. */
function isOfCertificate(error: unknown): error is Error {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    /CERT|LEAF_SIGNATURE/.test(error.code)
  );
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}

/** The client reads no credentials from a URL, waits long for a dead server and gives up at some time. */
function connectionOptions(url: string): ConnectionOptions {
  const urls = url.split(',').map((each) => new URL(each.trim()));
  const [first] = urls;
  const user = decodeURIComponent(first?.username ?? '');
  const pass = decodeURIComponent(first?.password ?? '');
  const credentials = pass === '' ? (user === '' ? {} : { token: user }) : { user, pass };
  return {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port || 4222}`),
    name: 'bubble-im',
    noEcho: true,
    ignoreAuthErrorAbort: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: pause,
    reconnectJitter: 100,
    timeout: patience,
    pingInterval: 2_000,
    maxPingOut: 2,
    ...credentials,
    ...(urls.some(({ protocol }) => protocol === 'tls:') ? { tls: {} } : {}),
  };
}
