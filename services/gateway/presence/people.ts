import type { Logger } from 'pino';
import type { Uid } from '../../../contracts/ids.ts';
import type { Bus } from '../../bus/bus.ts';
import { channelTopic } from '../../bus/topics.ts';
import { userFeed } from '../subscriptions/channel-name.ts';
import { GatewayWatch } from './gateway-watch.ts';
import type { PresenceChange, PresenceStore } from './presence-store.ts';

const beatEvery = 3_000;
const clearEvery = 500;
const lookEvery = 250;
/** After the start, those who were on a gateway that has ended are given so long to come back. */
const firstClearing = 3_000;

/** When a person's last socket closed: on the monotonic clock, and in seconds since 1970. */
interface Closing {
  readonly at: number;
  readonly timestamp: number;
}

/**
 * Who is online through this gateway (docs/realtime.md, "Online and offline"). Coming and going is written in batches, and told to friends
 * where it changes anything over all gateways; going only some time after the last socket closed.
 */
export class People {
  readonly #store: PresenceStore;
  readonly #bus: Bus;
  readonly #logger: Logger;
  readonly #offlineAfter: number;
  readonly #onBeat: (known: boolean) => void;
  /** Open sockets of each. */
  readonly #sockets = new Map<Uid, number>();
  /** Those whose row is written. */
  readonly #written = new Set<Uid>();
  /** Those to be written. */
  #opened = new Set<Uid>();
  /** When the last socket closed, of those whose row is not deleted yet. */
  readonly #closed = new Map<Uid, Closing>();
  readonly #gateways: GatewayWatch;
  /** What friends have not been told yet. */
  readonly #untold = new Map<Uid, PresenceChange['state']>();
  #writing: Promise<void> | undefined;
  #watch: NodeJS.Timeout | undefined;
  #beatAt = 0;
  #clearAt = 0;
  #left = false;

  constructor(options: {
    store: PresenceStore;
    bus: Bus;
    logger: Logger;
    offlineAfter: number;
    /** A gateway whose heartbeats were not seen for so long is dead. */
    gatewaySilence: number;
    /** Called at every heartbeat; not `known`: this gateway was taken for dead, what it wrote is gone. */
    onBeat(known: boolean): void;
  }) {
    this.#store = options.store;
    this.#bus = options.bus;
    this.#logger = options.logger;
    this.#offlineAfter = options.offlineAfter;
    this.#onBeat = options.onBeat;
    this.#gateways = new GatewayWatch(options.gatewaySilence);
  }

  /** Begins to say that this gateway lives. @throws what the database throws. */
  async start(): Promise<void> {
    await this.#store.beat();
    const now = performance.now();
    this.#beatAt = now + beatEvery;
    this.#clearAt = now + firstClearing;
    this.#watch = setInterval(() => this.#lookAround(), lookEvery);
    this.#watch.unref();
  }

  /** A socket is known to be this person's. */
  opened(uid: Uid): void {
    this.#sockets.set(uid, (this.#sockets.get(uid) ?? 0) + 1);
    this.#closed.delete(uid);
    if (this.#written.has(uid) || this.#left) return;
    this.#opened.add(uid);
    this.#write();
  }

  /** A socket of this person has closed. */
  closed(uid: Uid): void {
    const left = (this.#sockets.get(uid) ?? 1) - 1;
    if (left > 0) {
      this.#sockets.set(uid, left);
      return;
    }
    this.#sockets.delete(uid);
    this.#closed.set(uid, { at: performance.now(), timestamp: Math.floor(Date.now() / 1000) });
  }

  /** Leaves what is written to the other gateways: whoever does not come back to one is offline then. */
  async leave(): Promise<void> {
    this.#left = true;
    clearInterval(this.#watch);
    await this.#writing;
    await this.#store.leave();
  }

  #lookAround(): void {
    const now = performance.now();
    const due = this.#closed.values().some(({ at }) => now - at >= this.#offlineAfter);
    if (due || now >= this.#beatAt || now >= this.#clearAt || this.#opened.size > 0) this.#write();
  }

  #write(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  async #writeAll(): Promise<void> {
    try {
      await this.#beatAndClear();
      while (!this.#left) {
        const opened = [...this.#opened];
        const closed = this.#dueToClose();
        if (opened.length + closed.size === 0) break;
        await this.#writeOnce(opened, closed);
      }
    } catch (error) {
      this.#logger.warn({ err: error }, 'who is online could not be written; trying again');
    }
  }

  async #beatAndClear(): Promise<void> {
    const now = performance.now();
    await this.#tell([]);
    if (now >= this.#beatAt) {
      const known = await this.#store.beat();
      if (!known) {
        for (const uid of this.#written) this.#opened.add(uid);
        this.#written.clear();
      }
      this.#beatAt = now + beatEvery;
      this.#onBeat(known);
    }
    if (now >= this.#clearAt) {
      const gone = this.#gateways.gone(await this.#store.beats(), performance.now());
      const changes = await this.#store.clear(gone);
      this.#clearAt = now + clearEvery;
      await this.#tell(changes);
    }
  }

  #dueToClose(): Map<Uid, Closing> {
    const now = performance.now();
    const due = new Map<Uid, Closing>();
    for (const [uid, closing] of this.#closed) {
      if (now - closing.at >= this.#offlineAfter) due.set(uid, closing);
    }
    return due;
  }

  async #writeOnce(opened: readonly Uid[], closed: ReadonlyMap<Uid, Closing>): Promise<void> {
    this.#opened = new Set();
    for (const uid of opened) this.#written.add(uid);
    for (const uid of closed.keys()) {
      this.#written.delete(uid);
      this.#closed.delete(uid);
    }
    const timestamps = new Map([...closed].map(([uid, { timestamp }]) => [uid, timestamp]));
    let changes: PresenceChange[];
    try {
      changes = await this.#store.write({ opened, closed: timestamps });
    } catch (error) {
      // Perhaps it was written: writing it again does no harm.
      for (const uid of opened) this.#opened.add(uid);
      for (const [uid, closing] of closed) if (!this.#sockets.has(uid)) this.#closed.set(uid, closing);
      throw error;
    }
    await this.#tell(changes);
  }

  async #tell(changes: readonly PresenceChange[]): Promise<void> {
    for (const { uid, state } of changes) this.#untold.set(uid, state);
    if (this.#untold.size === 0) return;
    const friends = await this.#store.friendsOnline([...this.#untold.keys()]);
    const states = new Map(this.#untold);
    this.#untold.clear();
    for (const { uid, friend } of friends) {
      const channel = userFeed(friend);
      const data = JSON.stringify({ uid, state: states.get(uid) });
      this.#bus.signal(channelTopic(channel), {
        kind: 'ephemeral',
        channel,
        event: 'presence',
        data,
        twin: true,
      });
    }
  }
}
