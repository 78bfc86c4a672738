import type { Logger } from 'pino';
import type { PushRow } from '../../contracts/push/row.ts';
import type { Bus, Signal, Tick } from './bus.ts';

type Listener<Message> = (message: Message) => void;

/** Listeners by name; a name without listeners takes no memory. */
class Listeners<Message> {
  readonly #byName = new Map<string, Set<{ readonly listener: Listener<Message> }>>();

  /** Calls the present listeners; one that an earlier one removes is not called. */
  notify(name: string, message: Message, onError: (error: unknown) => void): void {
    const entries = this.#byName.get(name);
    if (!entries) return;
    for (const entry of [...entries]) {
      if (!entries.has(entry)) continue;
      try {
        entry.listener(message);
      } catch (error) {
        // The others get the message all the same.
        onError(error);
      }
    }
  }

  add(name: string, listener: Listener<Message>): () => void {
    const entry = { listener };
    const entries = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, entries.add(entry));
    return () => {
      entries.delete(entry);
      if (entries.size === 0 && this.#byName.get(name) === entries) this.#byName.delete(name);
    };
  }

  clear(): void {
    this.#byName.clear();
  }
}

/**
 * The bus within one process. Messages are delivered at once and in order: one that a listener sends is
 * delivered after all listeners have got the present one.
 */
class MemoryBus implements Bus {
  readonly #onError: (error: unknown) => void;
  readonly #ticks = new Listeners<Tick>();
  readonly #channels = new Listeners<PushRow>();
  readonly #signals = new Listeners<Signal>();
  #deliveries: (() => void)[] = [];
  #delivering = false;
  #open = true;

  constructor(logger: Logger) {
    this.#onError = (error) => logger.error({ err: error }, 'a listener of the bus failed');
  }

  publish(tick: Tick, rows: readonly PushRow[]): void {
    this.#deliver(() => {
      for (const row of rows) this.#channels.notify(row.channel, row, this.#onError);
      this.#ticks.notify('', tick, this.#onError);
    });
  }

  onTick(listener: (tick: Tick) => void): () => void {
    return this.#ticks.add('', listener);
  }

  onChannel(channel: string, listener: (row: PushRow) => void): () => void {
    return this.#channels.add(channel, listener);
  }

  signal(topic: string, signal: Signal): void {
    this.#deliver(() => this.#signals.notify(topic, signal, this.#onError));
  }

  onSignal(topic: string, listener: (signal: Signal) => void): () => void {
    return this.#signals.add(topic, listener);
  }

  onInterruption(): () => void {
    return () => undefined;
  }

  async settled(): Promise<void> {}

  healthy(): boolean {
    return this.#open;
  }

  async close(): Promise<void> {
    this.#open = false;
    this.#ticks.clear();
    this.#channels.clear();
    this.#signals.clear();
  }

  #deliver(delivery: () => void): void {
    this.#deliveries.push(delivery);
    if (this.#delivering) return;
    this.#delivering = true;
    for (let next = this.#deliveries.shift(); next; next = this.#deliveries.shift()) next();
    this.#delivering = false;
  }
}

/** A bus for when projector, gateway and API are one process. It loses nothing. */
export function memoryBus(logger: Logger): Bus {
  return new MemoryBus(logger);
}
