import type { Logger } from 'pino';
import type { PushRow } from '../../contracts/push/row.ts';
import type { Bus, Signal, Tick } from './bus.ts';

type Hear<Of> = (value: Of) => void;

/** Listeners under names; a name that nobody listens to takes no room. */
class Listeners<Of> {
  readonly #byName = new Map<string, Set<{ readonly hear: Hear<Of> }>>();

  /** The listeners of now. */
  of(name: string): Hear<Of>[] {
    const listening = this.#byName.get(name);
    if (!listening) return [];
    return Array.from(listening, (listener) => (value: Of) => {
      // One that a listener before it took away hears nothing more.
      if (listening.has(listener)) listener.hear(value);
    });
  }

  add(name: string, hear: Hear<Of>): () => void {
    const listener = { hear };
    const listening = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, listening.add(listener));
    return () => {
      listening.delete(listener);
      if (listening.size === 0 && this.#byName.get(name) === listening) this.#byName.delete(name);
    };
  }

  clear(): void {
    this.#byName.clear();
  }
}

/**
 * The bus within one process. Everything is heard at once and in order: what a listener itself says
 * is heard by all once all have heard what it was told.
 */
class MemoryBus implements Bus {
  readonly #logger: Logger;
  readonly #ticks = new Listeners<Tick>();
  readonly #channels = new Listeners<PushRow>();
  readonly #signals = new Listeners<Signal>();
  #waiting: (() => void)[] = [];
  #delivering = false;
  #open = true;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  publish(tick: Tick, rows: readonly PushRow[]): void {
    this.#deliver(() => {
      for (const row of rows) this.#tell(this.#channels.of(row.channel), row);
      this.#tell(this.#ticks.of(''), tick);
    });
  }

  onTick(hear: (tick: Tick) => void): () => void {
    return this.#ticks.add('', hear);
  }

  onChannel(channel: string, hear: (row: PushRow) => void): () => void {
    return this.#channels.add(channel, hear);
  }

  signal(topic: string, signal: Signal): void {
    this.#deliver(() => this.#tell(this.#signals.of(topic), signal));
  }

  onSignal(topic: string, hear: (signal: Signal) => void): () => void {
    return this.#signals.add(topic, hear);
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
    this.#waiting.push(delivery);
    if (this.#delivering) return;
    this.#delivering = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) next();
    this.#delivering = false;
  }

  /** A listener that throws is no one else's trouble. */
  #tell<Of>(listeners: readonly Hear<Of>[], value: Of): void {
    for (const hear of listeners) {
      try {
        hear(value);
      } catch (error) {
        this.#logger.error({ err: error }, 'a listener of the bus failed');
      }
    }
  }
}

/** A bus for when projector, gateway and API are one process. It loses nothing. */
export function memoryBus(logger: Logger): Bus {
  return new MemoryBus(logger);
}
