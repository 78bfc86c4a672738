import type { Logger } from 'pino';
import type { Bus } from '../../bus/bus.ts';
import { channelTopic } from '../../bus/topics.ts';
import type { Hub } from '../subscriptions/hub.ts';
import type { Subscription } from '../subscriptions/subscription.ts';
import { type MemberList, PresenceChannel } from './presence-channel.ts';
import type { ChannelChanges, PresenceChannelStore } from './presence-channel-store.ts';

export interface PresenceChannelsOptions {
  readonly store: PresenceChannelStore;
  readonly bus: Bus;
  readonly hub: Hub;
  readonly logger: Logger;
  /** The database failed. When it works again, `allStale` is to be called. */
  onFailure(): void;
}

interface Joining {
  readonly subscription: Subscription;
  readonly joined: PromiseWithResolvers<MemberList>;
}

/**
 * The members of presence channels on all gateways (docs/realtime.md, "Presence channels"). The table
 * `presence.members` is the truth. A signal says that a channel changed; every heartbeat reads the changes of all
 * channels too, in case a signal was lost or a gateway died. Subscribers are notified of the differences. All members
 * of a channel are read for its first subscription on this gateway, and once a minute.
 */
export class PresenceChannels {
  readonly #options: PresenceChannelsOptions;
  readonly #channels = new Map<string, PresenceChannel>();
  /** Users who came or left here, by channel, and are to be written as they are when the writing begins. */
  #changed = new Map<string, Set<string>>();
  #stale = new Set<string>();
  #joining: Joining[] = [];
  #working = false;
  /** The database failed: what is to be written waits for `allStale`. */
  #suspended = false;

  constructor(options: PresenceChannelsOptions) {
    this.#options = options;
  }

  /**
   * Adds a subscription to its channel.
   * @returns the members, the user of the subscription included; it is notified of later changes
   * @throws what the database throws
   */
  join(subscription: Subscription): Promise<MemberList> {
    const joined = Promise.withResolvers<MemberList>();
    this.#joining.push({ subscription, joined });
    this.#suspended = false;
    this.#add(subscription);
    return joined.promise;
  }

  /**
   * Replaces a subscription by another one to the same channel. If both are of the same user, others are not notified
   * of leaving and joining. The caller then lets the new one join, or leave.
   */
  replace(before: Subscription, after: Subscription): void {
    const userId = before.user?.userId;
    const channel = this.#channels.get(before.channel.name);
    const same = userId !== undefined && userId === after.user?.userId;
    if (!same || !channel?.replace(userId, before, after)) this.leave(before);
    else if (before.user?.info !== after.user?.info) this.#change(before.channel.name, userId);
  }

  /** Removes a subscription from its channel. */
  leave(subscription: Subscription): void {
    const { name } = subscription.channel;
    const userId = subscription.user?.userId;
    if (userId !== undefined && this.#channels.get(name)?.remove(userId, subscription)) {
      this.#change(name, userId);
    }
  }

  /** Adds a subscription again that left while it was dormant. */
  rejoin(subscription: Subscription): void {
    this.#add(subscription);
  }

  /** Reads a channel's changes: another gateway may have written some. */
  stale(name: string): void {
    if (!this.#channels.has(name)) return;
    this.#stale.add(name);
    this.#work();
  }

  /** Reads the changes of all channels. @param rewrite writes all users of this gateway: their rows may be gone */
  allStale(rewrite = false): void {
    this.#suspended = false;
    for (const [name, { users }] of this.#channels) {
      this.#stale.add(name);
      if (rewrite) for (const userId of users) this.#change(name, userId);
    }
    this.#work();
  }

  #add(subscription: Subscription): void {
    const { name } = subscription.channel;
    const userId = subscription.user?.userId;
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
    if (!this.#working && !this.#suspended) void this.#workUntilDone();
  }

  async #workUntilDone(): Promise<void> {
    this.#working = true;
    // Changes of the same turn of the event loop are written together.
    await Promise.resolve();
    while (!this.#suspended && this.#changed.size + this.#stale.size + this.#joining.length > 0) {
      const changed = this.#changed;
      const stale = this.#stale;
      const joining = this.#joining;
      this.#changed = new Map();
      this.#stale = new Set();
      this.#joining = [];
      try {
        await this.#writeAndRead(changed, stale, joining);
      } catch (error) {
        this.#options.logger.warn(
          { err: error },
          'the members of presence channels could not be written or read',
        );
        for (const { joined } of joining) joined.reject(error);
        // A subscription that is joining now is tried at once: its client waits for an answer.
        this.#suspended = this.#joining.length === 0;
        for (const [name, users] of changed) for (const userId of users) this.#change(name, userId);
        this.#options.onFailure();
      }
    }
    this.#working = false;
  }

  async #writeAndRead(
    changed: ReadonlyMap<string, ReadonlySet<string>>,
    stale: ReadonlySet<string>,
    joining: readonly Joining[],
  ): Promise<void> {
    const came = [];
    const left = [];
    for (const [channel, users] of changed) {
      for (const userId of users) {
        const subscription = this.#channels.get(channel)?.subscriptionOf(userId);
        if (subscription === undefined) left.push({ channel, userId });
        else came.push({ channel, userId, info: subscription.user?.info ?? null });
      }
    }
    await this.#options.store.write(came, left);
    for (const channel of changed.keys()) {
      this.#options.bus.signal(channelTopic(channel), { kind: 'members changed', channel });
    }
    const names = new Set([...changed.keys(), ...stale]);
    for (const { subscription } of joining) names.add(subscription.channel.name);
    await this.#readAndNotify(names);
    for (const { subscription, joined } of joining) {
      joined.resolve(this.#channels.get(subscription.channel.name)?.members ?? new Map());
    }
  }

  async #readAndNotify(names: Iterable<string>): Promise<void> {
    const { store } = this.#options;
    const whole: string[] = [];
    const changes = new Map<string, number>();
    for (const name of names) {
      const channel = this.#channels.get(name);
      if (channel === undefined) continue;
      if (channel.since === undefined) whole.push(name);
      else changes.set(name, channel.since);
    }
    if (whole.length > 0) for (const one of await store.all(whole)) this.#notify(one, true);
    if (changes.size > 0) for (const one of await store.changed(changes)) this.#notify(one, false);
  }

  #notify(changes: ChannelChanges, readAll: boolean): void {
    const { hub } = this.#options;
    const name = changes.channel;
    const channel = this.#channels.get(name);
    if (channel === undefined) return;
    const different = channel.apply(changes, readAll);
    const subscriptions = different.length === 0 ? [] : hub.subscriptions(name);
    const active = subscriptions.filter(({ state }) => state === 'live' || state === 'settling');
    for (const { userId, info, here } of active.length === 0 ? [] : different) {
      const event = here ? 'pusher_internal:member_added' : 'pusher_internal:member_removed';
      const userInfo = here && info !== null ? `,"user_info":${info}` : '';
      hub.sendTo(active, event, name, `{"user_id":${JSON.stringify(userId)}${userInfo}}`);
    }
    if (channel.users.length === 0 && !hub.has(name)) this.#channels.delete(name);
  }
}
