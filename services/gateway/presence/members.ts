import type { Logger } from 'pino';
import type { Bus } from '../../bus/bus.ts';
import { channelTopic } from '../../bus/topics.ts';
import type { Rooms } from '../subscriptions/rooms.ts';
import type { Subscription } from '../subscriptions/subscription.ts';
import type { ChannelChanges, MemberStore } from './member-store.ts';
import { type MemberList, PresenceChannel } from './presence-channel.ts';

interface Joining {
  readonly subscription: Subscription;
  readonly joined: PromiseWithResolvers<MemberList>;
}

/**
 * The members of presence channels (docs/realtime.md, "Presence channels"), over all gateways. The table is what counts; a signal says that its
 * changes are to be read, and every heartbeat reads them anyway, so that a lost signal or a dead gateway is
 * noticed. What differs from what the sockets were told is told. All members of a channel are read when it is
 * first subscribed to here, and once a minute.
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
    const channel = this.#channels.get(before.channel.name);
    const same = userId !== undefined && userId === after.hearer?.userId;
    if (!same || !channel?.replace(userId, before, after)) this.leave(before);
    else if (before.hearer?.info !== after.hearer?.info) this.#change(before.channel.name, userId);
  }

  /** A subscription leaves its channel. */
  leave(subscription: Subscription): void {
    const { name } = subscription.channel;
    const userId = subscription.hearer?.userId;
    if (userId !== undefined && this.#channels.get(name)?.remove(userId, subscription)) {
      this.#change(name, userId);
    }
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
    for (const [name, { users }] of this.#channels) {
      this.#stale.add(name);
      if (rewrite) for (const userId of users) this.#change(name, userId);
    }
    this.#work();
  }

  #add(subscription: Subscription): void {
    const { name } = subscription.channel;
    const userId = subscription.hearer?.userId;
    if (userId === undefined) return;
    const channel = this.#channels.get(name) ?? new PresenceChannel();
    this.#channels.set(name, channel);
    if (channel.add(userId, subscription)) this.#change(name, userId);
    else this.stale(name);
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
        const first = this.#channels.get(channel)?.subscriptionOf(userId);
        if (first === undefined) exited.push({ channel, userId });
        else entered.push({ channel, userId, info: first.hearer?.info ?? null });
      }
    }
    await this.#store.write(entered, exited);
    for (const channel of changed.keys()) {
      this.#bus.signal(channelTopic(channel), { kind: 'members changed', channel });
    }
    const names = new Set([...changed.keys(), ...stale]);
    for (const { subscription } of joining) names.add(subscription.channel.name);
    await this.#readAndTell(names);
    for (const { subscription, joined } of joining) {
      joined.resolve(this.#channels.get(subscription.channel.name)?.members ?? new Map());
    }
  }

  async #readAndTell(names: Iterable<string>): Promise<void> {
    const whole: string[] = [];
    const partly = new Map<string, number>();
    for (const name of names) {
      const channel = this.#channels.get(name);
      if (channel === undefined) continue;
      if (channel.since === undefined) whole.push(name);
      else partly.set(name, channel.since);
    }
    if (whole.length > 0) for (const one of await this.#store.all(whole)) this.#tell(one, true);
    if (partly.size > 0) for (const one of await this.#store.changed(partly)) this.#tell(one, false);
  }

  #tell(changes: ChannelChanges, readAll: boolean): void {
    const name = changes.channel;
    const channel = this.#channels.get(name);
    if (channel === undefined) return;
    const different = channel.take(changes, readAll);
    const subscriptions = different.length === 0 ? [] : this.#rooms.subscriptions(name);
    const hearers = subscriptions.filter(({ state }) => state === 'live' || state === 'settling');
    for (const { userId, info, here } of hearers.length === 0 ? [] : different) {
      const event = here ? 'pusher_internal:member_added' : 'pusher_internal:member_removed';
      const shown = here && info !== null ? `,"user_info":${info}` : '';
      this.#rooms.giveTo(hearers, event, name, `{"user_id":${JSON.stringify(userId)}${shown}}`);
    }
    if (channel.users.length === 0 && !this.#rooms.has(name)) this.#channels.delete(name);
  }
}
