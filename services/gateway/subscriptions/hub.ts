import { eventFrame } from '../../../contracts/push/protocol.ts';
import type { PushRow } from '../../../contracts/push/row.ts';
import { textFrame } from '../connections/frame.ts';
import { namesOfFeed } from './channel.ts';
import { framesOf } from './row-frames.ts';
import type { Subscription } from './subscription.ts';

/** The subscriptions of this gateway to one channel. */
interface ChannelSubscriptions {
  readonly channel: string;
  /** Those in the state `live`, which get everything: one loop writes one buffer to all. */
  readonly live: Set<Subscription>;
  /** Those in other states: each is looked at. */
  readonly others: Set<Subscription>;
}

/** An event that is not of the log and is delivered at most once. */
export interface Ephemeral {
  readonly event: string;
  /** JSON as text. */
  readonly data: string;
  readonly exceptSocket?: string | undefined;
  readonly userId?: string | undefined;
  /** On a cache channel: a subscriber that got this version or a later one as the last event does not get it again. */
  readonly version?: string | undefined;
}

/** The subscriptions of this gateway, by channel; it delivers events to them. */
export class Hub {
  readonly #channels = new Map<string, ChannelSubscriptions>();
  readonly #appkey: string;
  readonly #maxHeld: number;
  /** The number of events delivered so far, each socket counted. */
  delivered = 0;

  /** @param maxHeld the number of events held for a subscription that is being opened */
  constructor(appkey: string, maxHeld: number) {
    this.#appkey = appkey;
    this.#maxHeld = maxHeld;
  }

  /** Adds a subscription, or takes notice of its new state. */
  put(subscription: Subscription): void {
    const channel = subscription.channel.name;
    let found = this.#channels.get(channel);
    if (found === undefined) {
      found = { channel, live: new Set(), others: new Set() };
      this.#channels.set(channel, found);
    }
    const live = subscription.state === 'live';
    (live ? found.live : found.others).add(subscription);
    (live ? found.others : found.live).delete(subscription);
  }

  remove(subscription: Subscription): void {
    const found = this.#channels.get(subscription.channel.name);
    if (found === undefined) return;
    found.live.delete(subscription);
    found.others.delete(subscription);
    if (found.live.size + found.others.size === 0) this.#channels.delete(found.channel);
  }

  /** The number of all subscriptions, in whatever state. */
  get size(): number {
    let count = 0;
    for (const { live, others } of this.#channels.values()) count += live.size + others.size;
    return count;
  }

  /** Whether a socket has a subscription to the channel, in whatever state. */
  has(channel: string): boolean {
    return this.#channels.has(channel);
  }

  /** The number of subscriptions that get events of the channel. */
  subscriptionCount(channel: string): number {
    const found = this.#channels.get(channel);
    return found === undefined ? 0 : activeCount(found);
  }

  /** Every channel with subscriptions that get events, and their number. */
  *occupied(): IterableIterator<readonly [string, number]> {
    for (const found of this.#channels.values()) {
      const count = activeCount(found);
      if (count > 0) yield [found.channel, count];
    }
  }

  /** All subscriptions to the channel, in whatever state. */
  subscriptions(channel: string): readonly Subscription[] {
    const found = this.#channels.get(channel);
    return found === undefined ? [] : [...found.live, ...found.others];
  }

  /**
   * Delivers rows of one feed, in their order, to the subscribers of both its channels.
   * @param escapes whether the setting `escape_html` is on at their position in the log
   */
  deliverRows(rows: readonly PushRow[], escapes: boolean): void {
    const feed = rows[0]?.channel;
    if (feed === undefined) return;
    for (const channel of namesOfFeed(feed)) this.deliverRowsTo(channel, rows, escapes);
  }

  /** Delivers rows of any feeds to the subscribers of one channel. */
  deliverRowsTo(channel: string, rows: readonly PushRow[], escapes: boolean): void {
    const found = this.#channels.get(channel);
    if (found === undefined) return;
    const frames = framesOf(rows, channel, { appkey: this.#appkey, escapes });
    for (const { connection } of found.live) connection.write(frames(connection).joined);
    this.delivered += found.live.size * rows.length;
    for (const subscription of [...found.others]) {
      const { each } = frames(subscription.connection);
      rows.forEach((row, index) => {
        const frame = each[index];
        if (frame !== undefined) this.#deliverOne(subscription, row.place, frame);
      });
    }
  }

  #deliverOne(subscription: Subscription, position: string, frame: Buffer): void {
    if (subscription.state === 'opening') {
      if (subscription.membership?.member !== false) subscription.hold(position, frame, this.#maxHeld);
    } else if (subscription.state === 'settling' && position > subscription.skipUpTo) {
      // Positions only grow, so nothing that it got already can follow.
      subscription.state = 'live';
      this.put(subscription);
      subscription.connection.write(frame);
      this.delivered += 1;
    } else if (subscription.state === 'live') {
      subscription.connection.write(frame);
      this.delivered += 1;
    }
  }

  /** Delivers an event that is not of the log to the subscribers of one channel. */
  deliverEphemeral(channel: string, { event, data, exceptSocket, userId, version }: Ephemeral): void {
    const found = this.#channels.get(channel);
    if (found === undefined) return;
    const frame = textFrame(eventFrame(event, channel, data, userId));
    for (const { connection } of found.live) if (connection.id !== exceptSocket) connection.write(frame);
    this.delivered += found.live.size;
    for (const subscription of [...found.others]) {
      if (subscription.connection.id === exceptSocket) continue;
      if (version !== undefined) {
        this.#deliverOne(subscription, version, frame);
        continue;
      }
      if (subscription.state === 'settling') subscription.connection.write(frame);
      else if (subscription.state === 'opening') subscription.hold(undefined, frame, this.#maxHeld);
    }
  }

  /** Sends an event to some subscriptions of one channel. */
  sendTo(subscriptions: readonly Subscription[], event: string, channel: string, data: string): void {
    const frame = textFrame(eventFrame(event, channel, data));
    for (const { connection } of subscriptions) connection.write(frame);
    this.delivered += subscriptions.length;
  }
}

function activeCount({ live, others }: ChannelSubscriptions): number {
  let count = live.size;
  for (const { state } of others) if (state === 'settling') count += 1;
  return count;
}
