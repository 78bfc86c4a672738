import type { Logger } from 'pino';
import type { Uid } from '../../../contracts/ids.ts';
import type { Bus } from '../../bus/bus.ts';
import { channelTopic } from '../../bus/topics.ts';
import { userFeed } from '../subscriptions/channel.ts';
import { GatewayWatch } from './gateway-watch.ts';
import type { OnlineUsersStore, PresenceChange } from './online-users-store.ts';

const heartbeatMs = 3_000;
const clearMs = 500;
const tickMs = 250;
/** After its start a gateway waits before it first looks for dead ones: users of one that restarted may come back. */
const firstClearMs = 3_000;

/** When a user's last socket closed: on the monotonic clock, and in seconds since 1970. */
interface Closing {
  readonly at: number;
  readonly timestamp: number;
}

export interface OnlineUsersOptions {
  readonly store: OnlineUsersStore;
  readonly bus: Bus;
  readonly logger: Logger;
  /** From the closing of a user's last socket until friends are notified. */
  readonly offlineDelayMs: number;
  /** A gateway without a new heartbeat for this time is dead. */
  readonly gatewayTimeoutMs: number;
  /** Called after every heartbeat; `known` is false if this gateway was taken for dead, and its rows are deleted. */
  onBeat(known: boolean): void;
}

/**
 * The users who are online through this gateway (docs/realtime.md, "Online and offline"). Changes are written in
 * batches. Friends are notified of those that change whether the user is online on any gateway.
 */
export class OnlineUsers {
  readonly #options: OnlineUsersOptions;
  /** The number of open sockets of each user. */
  readonly #sockets = new Map<Uid, number>();
  /** Users whose row is written. */
  readonly #written = new Set<Uid>();
  /** Users whose row is to be written. */
  #opened = new Set<Uid>();
  /** Users whose last socket closed, and whose row is not deleted yet. */
  readonly #closed = new Map<Uid, Closing>();
  readonly #gateways: GatewayWatch;
  /** Changes of which friends are not notified yet. */
  readonly #unsent = new Map<Uid, PresenceChange['state']>();
  #writing: Promise<void> | undefined;
  #ticks: NodeJS.Timeout | undefined;
  #beatAt = 0;
  #clearAt = 0;
  #left = false;

  constructor(options: OnlineUsersOptions) {
    this.#options = options;
    this.#gateways = new GatewayWatch(options.gatewayTimeoutMs);
  }

  /** Begins the heartbeats of this gateway. @throws what the database throws. */
  async start(): Promise<void> {
    await this.#options.store.beat();
    const now = performance.now();
    this.#beatAt = now + heartbeatMs;
    this.#clearAt = now + firstClearMs;
    this.#ticks = setInterval(() => this.#tick(), tickMs);
    this.#ticks.unref();
  }

  /** Beats with the next tick, to find out whether the database works. */
  beatSoon(): void {
    this.#beatAt = 0;
  }

  /** A socket turned out to be this user's. */
  opened(uid: Uid): void {
    this.#sockets.set(uid, (this.#sockets.get(uid) ?? 0) + 1);
    this.#closed.delete(uid);
    if (this.#written.has(uid) || this.#left) return;
    this.#opened.add(uid);
    this.#write();
  }

  /** A socket of this user has closed. */
  closed(uid: Uid): void {
    const open = (this.#sockets.get(uid) ?? 1) - 1;
    if (open > 0) {
      this.#sockets.set(uid, open);
      return;
    }
    this.#sockets.delete(uid);
    this.#closed.set(uid, { at: performance.now(), timestamp: Math.floor(Date.now() / 1000) });
  }

  /** Leaves the rows to the other gateways: they set users offline who do not reach another gateway in time. */
  async leave(): Promise<void> {
    this.#left = true;
    clearInterval(this.#ticks);
    await this.#writing;
    await this.#options.store.leave();
  }

  #tick(): void {
    const now = performance.now();
    const due = this.#closed.values().some(({ at }) => now - at >= this.#options.offlineDelayMs);
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
      this.#options.logger.warn({ err: error }, 'who is online could not be written; retrying');
    }
  }

  async #beatAndClear(): Promise<void> {
    const { store, onBeat } = this.#options;
    const now = performance.now();
    await this.#notify([]);
    if (now >= this.#beatAt) {
      const known = await store.beat();
      if (!known) {
        for (const uid of this.#written) this.#opened.add(uid);
        this.#written.clear();
      }
      this.#beatAt = now + heartbeatMs;
      onBeat(known);
    }
    if (now >= this.#clearAt) {
      const gone = this.#gateways.check(await store.beats(), performance.now());
      const changes = await store.clear(gone);
      this.#clearAt = now + clearMs;
      await this.#notify(changes);
    }
  }

  #dueToClose(): Map<Uid, Closing> {
    const now = performance.now();
    const due = new Map<Uid, Closing>();
    for (const [uid, closing] of this.#closed) {
      if (now - closing.at >= this.#options.offlineDelayMs) due.set(uid, closing);
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
      changes = await this.#options.store.write({ opened, closed: timestamps });
    } catch (error) {
      // It may have been committed: writing it again changes nothing then.
      for (const uid of opened) this.#opened.add(uid);
      for (const [uid, closing] of closed) if (!this.#sockets.has(uid)) this.#closed.set(uid, closing);
      throw error;
    }
    await this.#notify(changes);
  }

  async #notify(changes: readonly PresenceChange[]): Promise<void> {
    for (const { uid, state } of changes) this.#unsent.set(uid, state);
    if (this.#unsent.size === 0) return;
    const friends = await this.#options.store.friendsOnline([...this.#unsent.keys()]);
    const states = new Map(this.#unsent);
    this.#unsent.clear();
    for (const { uid, friend } of friends) {
      const channel = userFeed(friend);
      const data = JSON.stringify({ uid, state: states.get(uid) });
      const event = 'presence';
      this.#options.bus.signal(channelTopic(channel), {
        kind: 'ephemeral',
        channel,
        event,
        data,
        twin: true,
      });
    }
  }
}
