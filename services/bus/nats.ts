import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { PushRow } from '../../contracts/push/row.ts';
import type { Bus, Signal, Tick } from './bus.ts';
import { memoryBus } from './memory.ts';
import { NatsLink } from './nats-link.ts';
import { rowMessage, Subjects, signalMessage, tickMessage } from './nats-messages.ts';

export interface NatsBusOptions {
  /** `nats://user:password@host:4222` or `tls://…`, several with commas between. */
  readonly url: string;
  /** What all subjects begin with: those who share it hear each other. */
  readonly prefix?: string;
  /** Whose messages these are; what others who share the prefix say is ignored, and told once. */
  readonly installation: string;
  readonly logger: Logger;
}

/** So long `settled` waits, in milliseconds. */
const patience = 3_000;

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
  readonly #logger: Logger;
  readonly #subjects: Subjects;
  readonly #installation: string;
  #toldOfOthers = false;
  readonly #local: Bus;
  readonly #link: NatsLink;
  readonly #interruptions = new Set<{ readonly hear: () => void }>();
  #closed = false;
  /** Rows that came, by projector, until their tick comes. */
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
        // What was not sent meanwhile the others read, this batch too: its rows do not come with it.
        if (this.#lastTick)
          this.#link.send(this.#subjects.tick, tickMessage.encode(this.#lastTick, installation, true));
        this.#interrupt();
      },
      unreadable: () => this.#interrupt(),
    });
  }

  /** As `NatsLink.begin`. */
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

  onTick(hear: (tick: Tick) => void): () => void {
    return both(this.#local.onTick(hear), this.#listenToTicks());
  }

  onChannel(channel: string, hear: (row: PushRow) => void): () => void {
    const rows = this.#link.listen(this.#subjects.push(channel), (message) => this.#hearRow(message));
    return both(this.#local.onChannel(channel, hear), both(rows, this.#listenToTicks()));
  }

  onSignal(topic: string, hear: (signal: Signal) => void): () => void {
    const signals = this.#link.listen(this.#subjects.signal(topic), (message) =>
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
    if (this.#closed) return;
    const late = new AbortController();
    const timeUp = delay(patience, false, late).catch(() => false);
    const inTime = await Promise.race([this.#link.flushed(), timeUp]);
    late.abort();
    // Where the connection is lost, the interruption is told once it is back.
    if (!inTime && this.#link.whole) this.#interrupt();
  }

  healthy(): boolean {
    return this.#link.whole;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#interruptions.clear();
    await this.#local.close();
    await this.#link.close();
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
    return this.#link.listen(this.#subjects.tick, (message) => this.#hearTick(message));
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
    const { again, installation, ...tick } = tickMessage.decode(message);
    if (installation !== this.#installation) {
      if (!this.#toldOfOthers) {
        this.#toldOfOthers = true;
        this.#logger.warn(
          { installation },
          'another installation uses the same NATS and APP_ID: what it says is ignored. Give each its own APP_ID',
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
