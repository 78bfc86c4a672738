import type { Connection } from '../connections/connection.ts';
import type { Channel } from './channel-name.ts';
import type { InChat } from './chat-rights.ts';
import type { Membership } from './memberships.ts';

/** Who hears on a subscription. */
export interface Hearer {
  readonly userId: string;
  /** The user_info that a presence channel shows of them, as JSON. */
  readonly info: string | undefined;
}

/**
 * - `opening`: asked for, perhaps being replayed; what comes live is held.
 * - `settling`: heard, but what stands at or before a place was already given or is not theirs.
 * - `live`: heard.
 * - `dormant`: a group's, whose user is no member just now; heard again when they come back.
 * - `ended`.
 */
export type SubscriptionState = 'opening' | 'settling' | 'live' | 'dormant' | 'ended';

interface Held {
  /** The place in the log, or the version on a cache channel; undefined for what has neither. */
  readonly place: string | undefined;
  readonly frame: Buffer;
}

/** What is held goes out at once: an eighth of what a client may leave unread. */
const mostHeldBytes = 1_048_576;

/** One socket on one channel. */
export class Subscription {
  readonly connection: Connection;
  readonly channel: Channel;
  readonly hearer: Hearer | undefined;
  state: SubscriptionState = 'opening';
  /** While settling: the place up to which nothing is given. */
  after = '';
  /** In a group: whether the hearer is a member, kept in the order of the log. */
  membership: Membership | undefined;
  /** On a channel of two: the hearer's chat with the other. */
  chat: InChat | undefined;
  #held: Held[] = [];
  #heldBytes = 0;
  #overflowed = false;

  constructor(connection: Connection, channel: Channel, hearer: Hearer | undefined) {
    this.connection = connection;
    this.channel = channel;
    this.hearer = hearer;
  }

  /** Forgets what was held of the log: what is read next from the record holds it all. */
  holdAnew(): void {
    this.#held = this.#held.filter(({ place }) => place === undefined);
    this.#heldBytes = this.#held.reduce((bytes, { frame }) => bytes + frame.length, 0);
    this.#overflowed = false;
  }

  /** Keeps for later what came live; at most `limit`, and a bounded number of bytes: the oldest go. */
  hold(place: string | undefined, frame: Buffer, limit: number): void {
    this.#held.push({ place, frame });
    this.#heldBytes += frame.length;
    while (this.#held.length > limit || this.#heldBytes > mostHeldBytes) {
      const oldest = this.#held.shift();
      if (oldest === undefined) break;
      this.#heldBytes -= oldest.frame.length;
      if (oldest.place !== undefined) this.#overflowed = true;
    }
  }

  /** Whether something of the log came that is not held: it has to be read from the record. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** Gives what was held and stands after `place`, and takes what is live from then on. */
  settle(place: string): void {
    const held = this.#held.filter((one) => one.place === undefined || one.place > place);
    this.#held = [];
    this.#heldBytes = 0;
    this.state = 'settling';
    this.after = held.reduce((after, one) => one.place ?? after, place);
    if (held.length > 0) this.connection.write(Buffer.concat(held.map(({ frame }) => frame)));
  }
}

/** Tells a client that it does not hear a channel; the connection stays open (docs/realtime.md, "Channels"). */
export function refuseSubscription(connection: Connection, channel: string, error: string): void {
  const data = JSON.stringify({ type: 'AuthError', error, status: 403 });
  connection.send('pusher:subscription_error', channel, data);
}
