import { eventFrame } from '../../../contracts/push/protocol.ts';
import type { PushRow } from '../../../contracts/push/row.ts';
import { textFrame } from '../connections/frame.ts';
import { namesOfFeed } from './channel-name.ts';
import { framesOf } from './row-frames.ts';
import type { Subscription } from './subscription.ts';

/** All sockets of this gateway that are on one channel, by its exact name. */
interface Room {
  readonly name: string;
  /** Those that hear everything: one loop, one buffer. */
  readonly live: Set<Subscription>;
  /** Those of which each has to be looked at. */
  readonly others: Set<Subscription>;
}

/** What is not of the log and is not given twice. */
export interface Ephemeral {
  readonly event: string;
  /** JSON as text. */
  readonly data: string;
  readonly exceptSocket?: string | undefined;
  readonly userId?: string | undefined;
  /** On a cache channel: who was given this event, or a later one, as the last one is not given it again. */
  readonly version?: string | undefined;
}

/** Who hears what: the channels of this gateway's sockets, and giving events out to them. */
export class Rooms {
  readonly #rooms = new Map<string, Room>();
  readonly #appkey: string;
  readonly #mostHeld: number;
  /** Frames given to sockets so far. */
  delivered = 0;

  /** @param mostHeld how many events are held for a subscription that is being opened. */
  constructor(appkey: string, mostHeld: number) {
    this.#appkey = appkey;
    this.#mostHeld = mostHeld;
  }

  /** Puts a subscription into its channel's room, in the state that it is in. */
  place(subscription: Subscription): void {
    const name = subscription.channel.name;
    let room = this.#rooms.get(name);
    if (room === undefined) {
      room = { name, live: new Set(), others: new Set() };
      this.#rooms.set(name, room);
    }
    const live = subscription.state === 'live';
    (live ? room.live : room.others).add(subscription);
    (live ? room.others : room.live).delete(subscription);
  }

  /** Takes a subscription out of its room. */
  remove(subscription: Subscription): void {
    const room = this.#rooms.get(subscription.channel.name);
    if (room === undefined) return;
    room.live.delete(subscription);
    room.others.delete(subscription);
    if (room.live.size + room.others.size === 0) this.#rooms.delete(room.name);
  }

  /** Whether any socket is on the channel, whatever it hears. */
  has(name: string): boolean {
    return this.#rooms.has(name);
  }

  /** How many sockets hear the channel. */
  subscriptionCount(name: string): number {
    const room = this.#rooms.get(name);
    return room === undefined ? 0 : hearersOf(room);
  }

  /** Every channel with somebody on it, and how many. */
  *occupied(): IterableIterator<readonly [string, number]> {
    for (const room of this.#rooms.values()) {
      const count = hearersOf(room);
      if (count > 0) yield [room.name, count];
    }
  }

  /** Everyone on the channel. */
  subscriptions(name: string): readonly Subscription[] {
    const room = this.#rooms.get(name);
    return room === undefined ? [] : [...room.live, ...room.others];
  }

  /** Everyone on any channel. */
  *all(): IterableIterator<Subscription> {
    for (const room of this.#rooms.values()) {
      yield* room.live;
      yield* room.others;
    }
  }

  /**
   * Gives rows of one feed, in their order, to all who hear it under either of its names.
   * @param escapes whether the setting `escape_html` is on at their place of the log.
   */
  giveRows(rows: readonly PushRow[], escapes: boolean): void {
    const feed = rows[0]?.channel;
    if (feed === undefined) return;
    for (const name of namesOfFeed(feed)) {
      const room = this.#rooms.get(name);
      if (room !== undefined) this.#giveTo(room, rows, escapes);
    }
  }

  /** Gives rows to one channel's hearers, whatever feed they come from. */
  giveRowsTo(name: string, rows: readonly PushRow[], escapes: boolean): void {
    const room = this.#rooms.get(name);
    if (room !== undefined) this.#giveTo(room, rows, escapes);
  }

  #giveTo(room: Room, rows: readonly PushRow[], escapes: boolean): void {
    const frames = framesOf(rows, room.name, { appkey: this.#appkey, escapes });
    for (const { connection } of room.live) connection.write(frames(connection).joined);
    this.delivered += room.live.size * rows.length;
    for (const subscription of [...room.others]) {
      const { each } = frames(subscription.connection);
      rows.forEach((row, index) => {
        const frame = each[index];
        if (frame !== undefined) this.#giveOne(subscription, row.place, frame);
      });
    }
  }

  #giveOne(subscription: Subscription, place: string, frame: Buffer): void {
    if (subscription.state === 'opening') {
      if (subscription.membership?.member !== false) subscription.hold(place, frame, this.#mostHeld);
    } else if (subscription.state === 'settling' && place > subscription.after) {
      // From here on nothing that it was given already can come.
      subscription.state = 'live';
      this.place(subscription);
      subscription.connection.write(frame);
      this.delivered += 1;
    } else if (subscription.state === 'live') {
      subscription.connection.write(frame);
      this.delivered += 1;
    }
  }

  /** Gives what is not of the log to the hearers of one channel, by its exact name. */
  giveEphemeral(name: string, { event, data, exceptSocket, userId, version }: Ephemeral): void {
    const room = this.#rooms.get(name);
    if (room === undefined) return;
    const frame = textFrame(eventFrame(event, name, data, userId));
    for (const subscription of room.live) {
      if (subscription.connection.id !== exceptSocket) subscription.connection.write(frame);
    }
    this.delivered += room.live.size;
    for (const subscription of [...room.others]) {
      if (subscription.connection.id === exceptSocket) continue;
      if (version !== undefined) {
        this.#giveOne(subscription, version, frame);
        continue;
      }
      if (subscription.state === 'settling') subscription.connection.write(frame);
      else if (subscription.state === 'opening') subscription.hold(undefined, frame, this.#mostHeld);
    }
  }

  /** Gives an event to some of the channel's hearers. */
  giveTo(hearers: readonly Subscription[], event: string, name: string, data: string): void {
    const frame = textFrame(eventFrame(event, name, data));
    for (const { connection } of hearers) connection.write(frame);
    this.delivered += hearers.length;
  }
}

function hearersOf(room: Room): number {
  let count = room.live.size;
  for (const { state } of room.others) if (state === 'settling') count += 1;
  return count;
}
