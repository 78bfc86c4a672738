import type { Logger } from 'pino';
import { pushCodes, Subscribe } from '../../../contracts/push/protocol.ts';
import type { App } from '../../app-keys/signature.ts';
import type { Connection } from '../connections/connection.ts';
import { type Channel, chatOf, isPresence, readChannel, topicOf } from '../subscriptions/channel.ts';
import type { ChatChannels } from '../subscriptions/chat-channels.ts';
import type { GroupMemberships, Membership } from '../subscriptions/group-memberships.ts';
import { ReferenceCountedListeners } from '../subscriptions/reference-counted-listeners.ts';
import { refuseSubscription, Subscription } from '../subscriptions/subscription.ts';
import { type Allowed, authorize } from './authorize.ts';
import { Opening, type OpeningOptions } from './opening.ts';
import { SubscriptionShares } from './subscription-shares.ts';

export interface SubscriberOptions extends Omit<OpeningOptions, 'appkey' | 'end' | 'revoke'> {
  readonly app: App;
  readonly memberships: GroupMemberships;
  readonly chatChannels: ChatChannels;
  readonly logger: Logger;
  /** Listens to the signals of a channel's topic. @returns a function that stops it */
  listenToTopic(topic: string): () => void;
}

/** Begins and ends subscriptions. */
export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #opening: Opening;
  readonly #topics: ReferenceCountedListeners;
  readonly #shares: SubscriptionShares;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#opening = new Opening({
      ...options,
      appkey: options.app.key,
      end: (subscription) => this.#end(subscription),
      revoke: (subscription) => this.revoke(subscription),
    });
    this.#topics = new ReferenceCountedListeners(options.listenToTopic);
    this.#shares = new SubscriptionShares(options.limits);
  }

  /** Answers `pusher:subscribe`. Never throws. */
  async subscribe(connection: Connection, data: unknown): Promise<void> {
    const { app, limits, logger } = this.#options;
    const request = Subscribe.safeParse(data).data;
    if (request === undefined) {
      connection.error(pushCodes.unreadable, 'pusher:subscribe lacks a channel');
      return;
    }
    const channel = readChannel(request.channel) ?? serverToUser(connection, request.channel);
    if (channel === undefined)
      return refuseSubscription(connection, request.channel, 'no channel can have this name');
    const authorization = authorize(app, connection, channel, request);
    if (!authorization.allowed) return refuseSubscription(connection, channel.name, authorization.reason);
    const before = connection.subscriptions.get(channel.name);
    if (before === undefined && connection.subscriptions.size >= limits.maxSubscriptionsPerSocket) {
      return refuseSubscription(connection, channel.name, 'too many subscriptions on one connection');
    }
    if (before === undefined && this.#shares.full(connection)) {
      return refuseSubscription(connection, channel.name, 'too many subscriptions of one user or address');
    }
    const subscription = new Subscription(connection, channel, authorization.user);
    this.#end(before, subscription);
    this.#begin(subscription, authorization);
    try {
      await this.#opening.open(subscription, authorization, request.since ?? authorization.since);
    } catch (error) {
      logger.warn({ err: error }, 'a subscription could not be opened; its socket is closed');
      connection.close(pushCodes.overCapacity, 'not ready: come again');
    }
  }

  /** Ends the socket's subscription to the channel, if there is one. */
  unsubscribe(connection: Connection, channel: string): void {
    this.#end(connection.subscriptions.get(channel));
  }

  /** Ends a subscription of a chat whose two may not chat any more, and tells the client. */
  revoke(subscription: Subscription): void {
    if (subscription.state === 'ended') return;
    this.#end(subscription);
    refuseSubscription(subscription.connection, subscription.channel.name, 'these two may not chat');
  }

  /** Ends all of a socket's subscriptions. */
  endAll(connection: Connection): void {
    for (const subscription of [...connection.subscriptions.values()]) this.#end(subscription);
  }

  /** Applies a change of membership: the subscriptions that depend on it get events from now on, or no more. */
  membershipChanged(membership: Membership, member: boolean): void {
    const { hub, presenceChannels } = this.#options;
    membership.member = member;
    for (const subscription of membership.subscriptions) {
      const { state } = subscription;
      if (member && state === 'dormant') {
        subscription.state = 'settling';
        hub.put(subscription);
        if (isPresence(subscription.channel)) presenceChannels.rejoin(subscription);
      } else if (!member && (state === 'live' || state === 'settling')) {
        subscription.state = 'dormant';
        hub.put(subscription);
        if (isPresence(subscription.channel)) presenceChannels.leave(subscription);
      }
    }
  }

  #begin(subscription: Subscription, { uid }: Allowed): void {
    const { hub, pushFeed, memberships, chatChannels } = this.#options;
    const { channel, connection } = subscription;
    connection.addSubscription(subscription);
    this.#shares.add(subscription);
    hub.put(subscription);
    this.#topics.listen(topicOf(channel));
    if ('feed' in channel) pushFeed.feeds.listen(channel.feed);
    if (uid !== undefined && 'gid' in channel) {
      subscription.membership = memberships.track(uid, channel.gid, subscription);
    }
    if (uid !== undefined && 'uids' in channel) {
      subscription.chat = chatOf(channel, uid);
      if (subscription.chat !== undefined) chatChannels.track(subscription, subscription.chat);
    }
  }

  /** @param successor the socket's next subscription to the same channel */
  #end(subscription: Subscription | undefined, successor?: Subscription): void {
    if (subscription === undefined || subscription.state === 'ended') return;
    const { hub, pushFeed, memberships, presenceChannels, chatChannels } = this.#options;
    const { channel, connection, membership, chat } = subscription;
    subscription.state = 'ended';
    connection.removeSubscription(subscription);
    this.#shares.remove(subscription);
    hub.remove(subscription);
    this.#topics.unlisten(topicOf(channel));
    if ('feed' in channel) pushFeed.feeds.unlisten(channel.feed);
    if (membership !== undefined) memberships.release(membership, subscription);
    if (chat !== undefined) chatChannels.release(subscription, chat);
    if (!isPresence(channel)) return;
    if (successor === undefined) presenceChannels.leave(subscription);
    else presenceChannels.replace(subscription, successor);
  }
}

/** The channel on which pusher-js listens for events to its signed-in user: only that user may subscribe. */
function serverToUser({ userId }: Connection, name: string): Channel | undefined {
  return userId !== undefined && name === `#server-to-user-${userId}` ? { kind: 'public', name } : undefined;
}
