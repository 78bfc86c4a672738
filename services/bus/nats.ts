import pTimeout from 'p-timeout';
import type { Logger } from 'pino';
import type { PushRow } from '../../contracts/push/row.ts';
import type { Bus, Signal, Tick } from './bus.ts';
import { memoryBus } from './memory.ts';
import { NatsLink } from './nats-link.ts';
import { rowMessage, Subjects, signalMessage, tickMessage } from './nats-messages.ts';

export interface NatsBusOptions {
  /** `nats://user:password@host:4222` or `tls://…`, several with commas between. */
  readonly url: string;
  /** The beginning of all subjects; processes with the same prefix exchange messages. */
  readonly prefix?: string;
  /** The installation. Messages of other installations with the same prefix are ignored, and logged once. */
  readonly installation: string;
  readonly logger: Logger;
}

/** How long `settled` waits. */
const settledTimeoutMs = 3_000;

/**
 * The bus over a NATS server. Messages within this process do not go through the server, so one process works
 * without it. If the server cannot be reached at the start, the bus is unhealthy until it can, and then calls the
 * listeners of interruptions.
 * @throws Error if the server refuses the connection; TypeError for a prefix that is not a valid subject
 */
export async function connectNatsBus(options: NatsBusOptions): Promise<Bus> {
  const bus = new NatsBus(options);
  await bus.begin();
  return bus;
}

class NatsBus implements Bus {
  readonly #logger: Logger;
  readonly #subjects: Subjects;
  readonly #installation: string;
  #warnedOfOthers = false;
  readonly #local: Bus;
  readonly #link: NatsLink;
  readonly #interruptionListeners = new Set<{ readonly listener: () => void }>();
  #closed = false;
  /** Rows received, by the fence of their projector, until their tick arrives. */
  readonly #rows = new Map<number, PushRow[]>();
  #lastTick: Tick | undefined;

  constructor({ url, prefix = 'bubble-im', installation, logger }: NatsBusOptions) {
    this.#installation = installation;
    this.#logger = logger;
    this.#subjects = new Subjects(prefix, installation);
    this.#local = memoryBus(logger);
    this.#link = new NatsLink(url, logger, {
      lost: () => this.#rows.clear(),
      restored: () => {
        // Other processes then read what was not sent meanwhile, the rows of this batch included.
        if (this.#lastTick)
          this.#link.send(this.#subjects.tick, tickMessage.encode(this.#lastTick, installation, true));
        this.#interrupt();
      },
      unreadable: () => this.#interrupt(),
    });
  }

  /** See `NatsLink.begin`. */
  begin(): Promise<void> {
    return this.#link.begin();
  }

  publish(tick: Tick, rows: readonly PushRow[]): void {
    this.#local.publish(tick, rows);
    this.#lastTick = tick;
    for (const row of rows) {
      const subject = this.#subjects.push(row.channel);
      const message = rowMessage.encode(tick.fence, row);
      this.#link.send(subject, this.#link.fits(message) ? message : rowMessage.encode(tick.fence));
    }
    this.#link.send(this.#subjects.tick, tickMessage.encode(tick, this.#installation));
    this.#link.confirm();
  }

  signal(topic: string, signal: Signal): void {
    this.#local.signal(topic, signal);
    const message = signalMessage.encode(signal);
    if (this.#link.fits(message)) this.#link.send(this.#subjects.signal(topic), message);
    else this.#logger.warn({ topic, bytes: message.length }, 'a signal is too large for NATS');
    this.#link.confirm();
  }

  onTick(listener: (tick: Tick) => void): () => void {
    return both(this.#local.onTick(listener), this.#listenToTicks());
  }

  onChannel(channel: string, listener: (row: PushRow) => void): () => void {
    const rows = this.#link.listen(this.#subjects.push(channel), (message) => this.#receiveRow(message));
    return both(this.#local.onChannel(channel, listener), both(rows, this.#listenToTicks()));
  }

  onSignal(topic: string, listener: (signal: Signal) => void): () => void {
    const signals = this.#link.listen(this.#subjects.signal(topic), (message) =>
      this.#local.signal(topic, signalMessage.decode(message)),
    );
    return both(this.#local.onSignal(topic, listener), signals);
  }

  onInterruption(listener: () => void): () => void {
    const entry = { listener };
    this.#interruptionListeners.add(entry);
    return () => this.#interruptionListeners.delete(entry);
  }

  async settled(): Promise<void> {
    if (this.#closed) return;
    const inTime = await pTimeout(this.#link.flushed(), {
      milliseconds: settledTimeoutMs,
      fallback: () => false,
    });
    // If the connection is lost, this happens when it is restored.
    if (!inTime && this.#link.works) this.#interrupt();
  }

  healthy(): boolean {
    return this.#link.works;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#interruptionListeners.clear();
    await this.#local.close();
    await this.#link.close();
  }

  #interrupt(): void {
    for (const { listener } of [...this.#interruptionListeners]) {
      try {
        listener();
      } catch (error) {
        this.#logger.error({ err: error }, 'a listener of the bus failed');
      }
    }
  }

  #listenToTicks(): () => void {
    return this.#link.listen(this.#subjects.tick, (message) => this.#receiveTick(message));
  }

  #receiveRow(message: Uint8Array): void {
    const { fence, row } = rowMessage.decode(message);
    if (row === undefined) {
      this.#interrupt();
      return;
    }
    const rows = this.#rows.get(fence);
    if (rows) rows.push(row);
    else this.#rows.set(fence, [row]);
  }

  #receiveTick(message: Uint8Array): void {
    const { again, installation, ...tick } = tickMessage.decode(message);
    if (installation !== this.#installation) {
      if (!this.#warnedOfOthers) {
        this.#warnedOfOthers = true;
        this.#logger.warn(
          { installation },
          'another installation uses the same NATS and APP_ID; its messages are ignored. Give each its own APP_ID',
        );
      }
      return;
    }
    if (again) {
      this.#interrupt();
      return;
    }
    const rows = this.#rows.get(tick.fence) ?? [];
    for (const fence of [...this.#rows.keys()]) if (fence <= tick.fence) this.#rows.delete(fence);
    this.#local.publish(tick, rows);
  }
}

function both(first: () => void, second: () => void): () => void {
  return () => {
    first();
    second();
  };
}
