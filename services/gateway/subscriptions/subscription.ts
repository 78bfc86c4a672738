import type { Connection } from '../connections/connection.ts';
import type { Channel } from './channel.ts';
import type { InChat } from './chat-rights.ts';
import type { Membership } from './group-memberships.ts';

/** The user of a subscription. */
export interface SubscriptionUser {
  readonly userId: string;
  /** The `user_info` that a presence channel shows, as JSON. */
  readonly info: string | undefined;
}

/**
 * - `opening`: requested, perhaps being replayed; new events are held.
 * - `settling`: gets events, except those up to `skipUpTo`, which it got already or may not get.
 * - `live`: gets events.
 * - `dormant`: on a group's channel, and the user is not a member now; gets events again when they are.
 * - `ended`.
 */
export type SubscriptionState = 'opening' | 'settling' | 'live' | 'dormant' | 'ended';

interface Held {
  /** The position in the log, or the version on a cache channel; undefined for events that have neither. */
  readonly position: string | undefined;
  readonly frame: Buffer;
}

/** Held frames are sent at once: an eighth of what a client may leave unread. */
const maxHeldBytes = 1_048_576;

/** One socket's subscription to one channel. */
export class Subscription {
  readonly connection: Connection;
  readonly channel: Channel;
  readonly user: SubscriptionUser | undefined;
  state: SubscriptionState = 'opening';
  /** While `settling`: events up to this position are not given. */
  skipUpTo = '';
  /** On a group's channel: the user's membership, kept in the order of the log. */
  membership: Membership | undefined;
  /** On a channel of two: the user's chat with the other. */
  chat: InChat | undefined;
  #held: Held[] = [];
  #heldBytes = 0;
  #overflowed = false;

  constructor(connection: Connection, channel: Channel, user: SubscriptionUser | undefined) {
    this.connection = connection;
    this.channel = channel;
    this.user = user;
  }

  /** Drops the held events of the log: the page that is read next contains them. */
  dropHeld(): void {
    this.#held = this.#held.filter(({ position }) => position === undefined);
    this.#heldBytes = this.#held.reduce((bytes, { frame }) => bytes + frame.length, 0);
    this.#overflowed = false;
  }

  /** Holds a new event until the subscription settles; the oldest are dropped beyond `maxFrames` or 1 MB. */
  hold(position: string | undefined, frame: Buffer, maxFrames: number): void {
    this.#held.push({ position, frame });
    this.#heldBytes += frame.length;
    while (this.#held.length > maxFrames || this.#heldBytes > maxHeldBytes) {
      const oldest = this.#held.shift();
      if (oldest === undefined) break;
      this.#heldBytes -= oldest.frame.length;
      if (oldest.position !== undefined) this.#overflowed = true;
    }
  }

  /** Whether an event of the log was dropped from the held ones: it has to be read from the database. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** Sends the held events after `position`; from then on the subscription gets events as they come. */
  settle(position: string): void {
    const held = this.#held.filter((one) => one.position === undefined || one.position > position);
    this.#held = [];
    this.#heldBytes = 0;
    this.state = 'settling';
    this.skipUpTo = held.reduce((last, one) => one.position ?? last, position);
    if (held.length > 0) this.connection.write(Buffer.concat(held.map(({ frame }) => frame)));
  }
}

/** Tells the client that it is not subscribed to a channel; the connection stays open (docs/realtime.md, "Channels"). */
export function refuseSubscription(connection: Connection, channel: string, error: string): void {
  const data = JSON.stringify({ type: 'AuthError', error, status: 403 });
  connection.send('pusher:subscription_error', channel, data);
}
