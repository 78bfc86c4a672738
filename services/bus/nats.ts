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
import type { PushRow } from '../../contracts/push/row.ts';
import type { Bus, Signal, Tick } from './bus.ts';
import { memoryBus } from './memory.ts';
import { rowMessage, Subjects, signalMessage, tickMessage } from './nats-messages.ts';

export interface NatsBusOptions {
  /** `nats://user:password@host:4222` or `tls://…`, several with commas between. */
  readonly url: string;
  /** What all subjects begin with: those who share it hear each other. */
  readonly prefix?: string;
  readonly logger: Logger;
}

/** So long a server is waited for at the start, and by `settled`, in milliseconds. */
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

/**
 * The bus over a NATS server. What this process tells itself does not go through the server, so
 * that one process works without it. A server that cannot be reached is no failure of the start:
 * the bus is unhealthy until it is, and listeners are told of an interruption then.
 * @throws Error where a server refuses the connection, TypeError for a prefix that is no subject
 */
export async function connectNatsBus(options: NatsBusOptions): Promise<Bus> {
  const bus = new NatsBus(options);
  await bus.begin();
  return bus;
}

class NatsBus implements Bus {
  readonly #options: NatsBusOptions;
  readonly #logger: Logger;
  readonly #subjects: Subjects;
  readonly #local: Bus;
  readonly #interruptions = new Set<{ readonly hear: () => void }>();
  /** What is listened to, how many times, and what is done with a message. */
  readonly #listening = new Map<string, Listening>();
  #connection: NatsConnection | undefined;
  /** From a loss of the connection until all subscriptions stand again, nothing that comes is whole. */
  #interrupted = true;
  readonly #closing = new AbortController();
  /** Rows that came, by projector, until their tick comes. */
  #rows = new Map<number, PushRow[]>();
  #lastTick: Tick | undefined;
  #unconfirmed = 0;
  #confirming = false;

  constructor(options: NatsBusOptions) {
    this.#options = options;
    this.#logger = options.logger;
    this.#subjects = new Subjects(options.prefix ?? 'bubble-im');
    this.#local = memoryBus(options.logger);
  }

  /** Connects, or goes on trying where there is no server. @throws Error where it refuses. */
  async begin(): Promise<void> {
    const connected = this.#connect();
    const waited = await Promise.race([connected, delay(patience, 'too long', { ref: false })]);
    if (waited !== 'too long') return;
    this.#logger.warn('NATS does not answer; going on trying');
    connected.catch((error) => this.#logger.error({ err: error }, 'NATS cannot be used'));
  }

  publish(tick: Tick, rows: readonly PushRow[]): void {
    this.#local.publish(tick, rows);
    this.#lastTick = tick;
    for (const row of rows) {
      const subject = this.#subjects.push(row.channel);
      const message = rowMessage.encode(tick.fence, row);
      this.#send(subject, this.#fits(message) ? message : rowMessage.encode(tick.fence));
    }
    this.#send(this.#subjects.tick, tickMessage.encode(tick));
    this.#confirm();
  }

  signal(topic: string, signal: Signal): void {
    this.#local.signal(topic, signal);
    const message = signalMessage.encode(signal);
    if (this.#fits(message)) this.#send(this.#subjects.signal(topic), message);
    else this.#logger.warn({ topic, bytes: message.length }, 'a signal is too large for NATS');
    this.#confirm();
  }

  onTick(hear: (tick: Tick) => void): () => void {
    return both(this.#local.onTick(hear), this.#listenToTicks());
  }

  onChannel(channel: string, hear: (row: PushRow) => void): () => void {
    const rows = this.#listen(this.#subjects.push(channel), (message) => this.#hearRow(message));
    return both(this.#local.onChannel(channel, hear), both(rows, this.#listenToTicks()));
  }

  onSignal(topic: string, hear: (signal: Signal) => void): () => void {
    const signals = this.#listen(this.#subjects.signal(topic), (message) =>
      this.#local.signal(topic, signalMessage.decode(message)),
    );
    return both(this.#local.onSignal(topic, hear), signals);
  }

  onInterruption(hear: () => void): () => void {
    const listener = { hear };
    this.#interruptions.add(listener);
    return () => this.#interruptions.delete(listener);
  }

  async settled(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const stand = this.#interrupted
      ? Promise.resolve(false)
      : (this.#connection?.flush().then(
          () => true,
          () => false,
        ) ?? Promise.resolve(false));
    const late = new AbortController();
    const inTime = await Promise.race([
      stand,
      delay(patience, false, { signal: late.signal }).catch(() => false),
    ]);
    late.abort();
    // Where the connection is lost, the interruption is told once it is back.
    if (!inTime && !this.#interrupted) this.#interrupt();
  }

  healthy(): boolean {
    return !this.#closing.signal.aborted && !this.#interrupted;
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#local.close();
    this.#interruptions.clear();
    await this.#connection?.close();
  }

  async #connect(): Promise<void> {
    const options = connectionOptions(this.#options.url);
    while (!this.#closing.signal.aborted) {
      try {
        await this.#use(await connect(options));
        return;
      } catch (error) {
        if (error instanceof NatsError && refusals.has(error.code)) {
          throw new Error(`NATS refuses the connection: ${error.message}`, { cause: error });
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
        this.#interrupted = true;
        this.#unconfirmed = 0;
        this.#rows.clear();
        this.#logger.warn('the connection to NATS is lost');
      } else if (type === Events.Reconnect) {
        this.#resume().catch(() => undefined);
      } else if (type === Events.Error) {
        this.#logger.error({ error: data }, 'NATS tells of an error');
      }
    }
    const error = await connection.closed();
    if (error) this.#logger.error({ err: error }, 'the connection to NATS is closed for good');
    this.#interrupted = true;
  }

  /** Once every subscription stands: goes on, and has everyone read what went by meanwhile. */
  async #resume(): Promise<void> {
    await this.#connection?.flush();
    if (this.#closing.signal.aborted) return;
    this.#interrupted = false;
    this.#logger.info('connected to NATS');
    // What was not sent meanwhile is noticed by others by the number of this one.
    if (this.#lastTick) this.#send(this.#subjects.tick, tickMessage.encode(this.#lastTick));
    this.#interrupt();
  }

  #interrupt(): void {
    for (const { hear } of [...this.#interruptions]) {
      try {
        hear();
      } catch (error) {
        this.#logger.error({ err: error }, 'a listener of the bus failed');
      }
    }
  }

  #listenToTicks(): () => void {
    return this.#listen(this.#subjects.tick, (message) => this.#hearTick(message));
  }

  #listen(subject: string, take: (message: Uint8Array) => void): () => void {
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

  #subscribe(subject: string, { take }: Listening): Subscription | undefined {
    if (this.#closing.signal.aborted) return undefined;
    return this.#connection?.subscribe(subject, {
      callback: (error, message) => {
        if (error || this.#interrupted) return;
        try {
          take(message.data);
        } catch (failure) {
          this.#logger.error({ err: failure, subject }, 'a message of NATS cannot be read');
          this.#interrupt();
        }
      },
    });
  }

  #hearRow(message: Uint8Array): void {
    const { fence, row } = rowMessage.decode(message);
    if (row === undefined) {
      this.#interrupt();
      return;
    }
    const rows = this.#rows.get(fence);
    if (rows) rows.push(row);
    else this.#rows.set(fence, [row]);
  }

  #hearTick(message: Uint8Array): void {
    const tick = tickMessage.decode(message);
    const rows = this.#rows.get(tick.fence) ?? [];
    for (const fence of [...this.#rows.keys()]) if (fence <= tick.fence) this.#rows.delete(fence);
    this.#local.publish(tick, rows);
  }

  #fits(message: Uint8Array): boolean {
    return message.length <= (this.#connection?.info?.max_payload ?? Number.POSITIVE_INFINITY);
  }

  /** Sends, or drops what cannot be sent now: the tick's number tells those who should have heard it. */
  #send(subject: string, message: Uint8Array): void {
    if (this.#closing.signal.aborted || this.#interrupted || this.#unconfirmed > mostUnconfirmed) return;
    try {
      this.#connection?.publish(subject, message);
      this.#unconfirmed += message.length;
    } catch (error) {
      this.#logger.warn({ err: error, subject }, 'a message was not sent to NATS');
    }
  }

  /** Has the server confirm what was sent so far, one time after the other. */
  #confirm(): void {
    if (this.#confirming || this.#unconfirmed === 0 || !this.#connection) return;
    this.#confirming = true;
    const sent = this.#unconfirmed;
    const done = () => {
      this.#confirming = false;
      this.#unconfirmed = Math.max(0, this.#unconfirmed - sent);
    };
    this.#connection.flush().then(done, done);
  }
}

interface Listening {
  listeners: number;
  readonly take: (message: Uint8Array) => void;
  subscription: Subscription | undefined;
}

function both(first: () => void, second: () => void): () => void {
  return () => {
    first();
    second();
  };
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
    pingInterval: 2_000,
    maxPingOut: 2,
    ...credentials,
    ...(urls.some(({ protocol }) => protocol === 'tls:') ? { tls: {} } : {}),
  };
}
