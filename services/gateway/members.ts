import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import { channelTopic } from '../bus/topics.ts';
import type { MemberStore } from './member-store.ts';
import type { Rooms } from './rooms.ts';
import type { Subscription } from './subscription.ts';

/** Who is on a presence channel: each user's id with their info, JSON as text. */
export type MemberList = ReadonlyMap<string, string | null>;

interface PresenceChannel {
  /** The subscriptions of each user here. */
  readonly here: Map<string, Set<Subscription>>;
  /** What the sockets here have been told. */
  told: MemberList;
}

interface Joining {
  readonly subscription: Subscription;
  readonly joined: PromiseWithResolvers<MemberList>;
}

/**
 * The members of presence channels, over all gateways. The table is what counts; a signal says
 * that it is to be read again, and every heartbeat reads it anyway, so that a lost signal or a
 * dead gateway is noticed. What differs from what the sockets were told is told.
 */
export class Members {
  readonly #store: MemberStore;
  readonly #bus: Bus;
  readonly #rooms: Rooms;
  readonly #logger: Logger;
  readonly #channels = new Map<string, PresenceChannel>();
  /** Users of channels who came or went here and are to be written: what counts is who is here then. */
  #changed = new Map<string, Set<string>>();
  #stale = new Set<string>();
  #joining: Joining[] = [];
  #working = false;

  constructor(options: { store: MemberStore; bus: Bus; rooms: Rooms; logger: Logger }) {
    this.#store = options.store;
    this.#bus = options.bus;
    this.#rooms = options.rooms;
    this.#logger = options.logger;
  }

  /**
   * A subscription comes onto its channel. Resolves to who is there, itself included; changes are
   * told to the subscription from then on. @throws what the database throws.
   */
  join(subscription: Subscription): Promise<MemberList> {
    const joined = Promise.withResolvers<MemberList>();
    this.#joining.push({ subscription, joined });
    this.#add(subscription);
    return joined.promise;
  }

  /**
   * One subscription takes the place of another of the same user on the same channel, which leaves: the
   * others hear neither leaving nor joining. The new one is to join afterwards, or to leave.
   */
  replace(before: Subscription, after: Subscription): void {
    const userId = before.hearer?.userId;
    const subscriptions =
      userId === undefined ? undefined : this.#channels.get(before.channel.name)?.here.get(userId);
    if (userId === undefined || userId !== after.hearer?.userId || !subscriptions?.delete(before)) {
      this.leave(before);
      return;
    }
    subscriptions.add(after);
    if (before.hearer?.info !== after.hearer.info) this.#change(before.channel.name, userId);
  }

  /** A subscription leaves its channel. */
  leave(subscription: Subscription): void {
    const { name } = subscription.channel;
    const userId = subscription.hearer?.userId;
    const channel = this.#channels.get(name);
    const subscriptions = userId === undefined ? undefined : channel?.here.get(userId);
    if (userId === undefined || channel === undefined || !subscriptions?.delete(subscription)) return;
    if (subscriptions.size > 0) return;
    channel.here.delete(userId);
    this.#change(name, userId);
  }

  /** A subscription that had left comes back, having been a subscriber all the time. */
  comeBack(subscription: Subscription): void {
    this.#add(subscription);
  }

  /** The members of a channel may have changed elsewhere. */
  stale(channel: string): void {
    if (!this.#channels.has(channel)) return;
    this.#stale.add(channel);
    this.#work();
  }

  /** Any may have changed; with `rewrite`, what this gateway wrote may be gone as well. */
  allStale(rewrite = false): void {
    for (const [name, { here }] of this.#channels) {
      this.#stale.add(name);
      if (rewrite) for (const userId of here.keys()) this.#change(name, userId);
    }
    this.#work();
  }

  #add(subscription: Subscription): void {
    const { name } = subscription.channel;
    const userId = subscription.hearer?.userId;
    if (userId === undefined) return;
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      channel = { here: new Map(), told: new Map() };
      this.#channels.set(name, channel);
    }
    const subscriptions = channel.here.get(userId);
    if (subscriptions !== undefined) {
      subscriptions.add(subscription);
      this.#stale.add(name);
      this.#work();
    } else {
      channel.here.set(userId, new Set([subscription]));
      this.#change(name, userId);
    }
  }

  #change(name: string, userId: string): void {
    const users = this.#changed.get(name) ?? new Set();
    this.#changed.set(name, users.add(userId));
    this.#work();
  }

  #work(): void {
    if (!this.#working) void this.#workUntilDone();
  }

  async #workUntilDone(): Promise<void> {
    this.#working = true;
    // What comes in one go is written in one go.
    await Promise.resolve();
    while (this.#changed.size + this.#stale.size + this.#joining.length > 0) {
      const changed = this.#changed;
      const stale = this.#stale;
      const joining = this.#joining;
      this.#changed = new Map();
      this.#stale = new Set();
      this.#joining = [];
      try {
        await this.#writeAndTell(changed, stale, joining);
      } catch (error) {
        this.#logger.warn({ err: error }, 'the members of presence channels could not be kept');
        for (const { joined } of joining) joined.reject(error);
        await new Promise((resolve) => setTimeout(resolve, 500).unref());
        for (const [name, users] of changed) for (const userId of users) this.#change(name, userId);
      }
    }
    this.#working = false;
  }

  async #writeAndTell(
    changed: ReadonlyMap<string, ReadonlySet<string>>,
    stale: ReadonlySet<string>,
    joining: readonly Joining[],
  ): Promise<void> {
    const entered = [];
    const exited = [];
    for (const [channel, users] of changed) {
      for (const userId of users) {
        const first = this.#channels.get(channel)?.here.get(userId)?.values().next().value;
        if (first === undefined) exited.push({ channel, userId });
        else entered.push({ channel, userId, info: first.hearer?.info ?? null });
      }
    }
    await this.#store.enter(entered);
    await this.#store.exit(exited);
    for (const channel of changed.keys()) {
      this.#bus.signal(channelTopic(channel), { kind: 'members changed', channel });
    }
    const names = new Set([...changed.keys(), ...stale]);
    for (const { subscription } of joining) names.add(subscription.channel.name);
    const lists = await this.#readLists([...names]);
    for (const [name, list] of lists) this.#tell(name, list);
    for (const { subscription, joined } of joining) {
      joined.resolve(this.#channels.get(subscription.channel.name)?.told ?? new Map());
    }
  }

  async #readLists(names: readonly string[]): Promise<Map<string, MemberList>> {
    const lists = new Map<string, Map<string, string | null>>(names.map((name) => [name, new Map()]));
    for (const { channel, userId, info } of await this.#store.read(names)) {
      lists.get(channel)?.set(userId, info);
    }
    return lists;
  }

  #tell(name: string, list: MemberList): void {
    const channel = this.#channels.get(name);
    if (channel === undefined) return;
    const told = channel.told;
    channel.told = list;
    const hearers = this.#rooms
      .subscriptions(name)
      .filter(({ state }) => state === 'live' || state === 'settling');
    if (hearers.length > 0) {
      for (const [userId, info] of list) {
        if (told.has(userId)) continue;
        const who = `{"user_id":${JSON.stringify(userId)}${info === null ? '' : `,"user_info":${info}`}}`;
        this.#rooms.giveTo(hearers, 'pusher_internal:member_added', name, who);
      }
      for (const userId of told.keys()) {
        if (list.has(userId)) continue;
        const who = JSON.stringify({ user_id: userId });
        this.#rooms.giveTo(hearers, 'pusher_internal:member_removed', name, who);
      }
    }
    if (channel.here.size === 0 && this.#rooms.subscriptions(name).length === 0) this.#channels.delete(name);
  }
}
