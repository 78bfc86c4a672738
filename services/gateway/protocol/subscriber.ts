import type { Logger } from 'pino';
import { pushCodes, Subscribe } from '../../../contracts/push/protocol.ts';
import type { App } from '../../app-keys/signature.ts';
import type { Connection } from '../connections/connection.ts';
import { type Channel, chatOf, isPresence, readChannel, topicOf } from '../subscriptions/channel-name.ts';
import type { Chats } from '../subscriptions/chats.ts';
import { Listeners } from '../subscriptions/listeners.ts';
import type { Membership, Memberships } from '../subscriptions/memberships.ts';
import { refuseSubscription, Subscription } from '../subscriptions/subscription.ts';
import { type Allowed, authorize } from './authorize.ts';
import { Opening, type OpeningOptions } from './opening.ts';

export interface SubscriberOptions extends Omit<OpeningOptions, 'appkey' | 'end' | 'revoke'> {
  readonly app: App;
  readonly memberships: Memberships;
  readonly chats: Chats;
  readonly logger: Logger;
  /** Hears a signal on a channel's topic. */
  hearTopic(topic: string): () => void;
}

/** Takes subscriptions up and ends them. */
export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #opening: Opening;
  readonly #topics: Listeners;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#opening = new Opening({
      ...options,
      appkey: options.app.key,
      end: (subscription) => this.#end(subscription),
      revoke: (subscription) => this.revoke(subscription),
    });
    this.#topics = new Listeners(options.hearTopic);
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
    if (before === undefined && connection.subscriptions.size >= limits.subscriptionsOfSocket) {
      return refuseSubscription(connection, channel.name, 'too many subscriptions on one connection');
    }
    const subscription = new Subscription(connection, channel, authorization.hearer);
    this.#end(before, subscription);
    this.#begin(subscription, authorization);
    try {
      await this.#opening.open(subscription, authorization, request.since ?? authorization.since);
    } catch (error) {
      logger.warn({ err: error }, 'a subscription could not be judged; its socket is to come again');
      connection.close(pushCodes.overCapacity, 'not ready: come again');
    }
  }

  /** Ends the subscription of that name, where there is one. */
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

  /** A person is a member of a group from now on, or no more: their subscriptions hear, or hear no more. */
  membershipChanged(membership: Membership, member: boolean): void {
    const { rooms, members } = this.#options;
    membership.member = member;
    for (const subscription of membership.subscriptions) {
      const { state } = subscription;
      if (member && state === 'dormant') {
        subscription.state = 'settling';
        rooms.place(subscription);
        if (isPresence(subscription.channel)) members.comeBack(subscription);
      } else if (!member && (state === 'live' || state === 'settling')) {
        subscription.state = 'dormant';
        rooms.place(subscription);
        if (isPresence(subscription.channel)) members.leave(subscription);
      }
    }
  }

  #begin(subscription: Subscription, { uid }: Allowed): void {
    const { rooms, tail, memberships, chats } = this.#options;
    const { channel, connection } = subscription;
    connection.subscribed(subscription);
    rooms.place(subscription);
    this.#topics.listen(topicOf(channel));
    if ('feed' in channel) tail.feeds.listen(channel.feed);
    if (uid !== undefined && 'gid' in channel) {
      subscription.membership = memberships.track(uid, channel.gid, subscription);
    }
    if (uid !== undefined && 'uids' in channel) {
      subscription.chat = chatOf(channel, uid);
      if (subscription.chat !== undefined) chats.track(subscription, subscription.chat);
    }
  }

  /** @param successor takes its place on the channel at once. */
  #end(subscription: Subscription | undefined, successor?: Subscription): void {
    if (subscription === undefined || subscription.state === 'ended') return;
    const { rooms, tail, memberships, members, chats } = this.#options;
    const { channel, connection, membership, chat } = subscription;
    subscription.state = 'ended';
    connection.unsubscribed(subscription);
    rooms.remove(subscription);
    this.#topics.unlisten(topicOf(channel));
    if ('feed' in channel) tail.feeds.unlisten(channel.feed);
    if (membership !== undefined) memberships.release(membership, subscription);
    if (chat !== undefined) chats.release(subscription, chat);
    if (!isPresence(channel)) return;
    if (successor === undefined) members.leave(subscription);
    else members.replace(subscription, successor);
  }
}

/** Where pusher-js listens for its signed-in user: that user alone may. */
function serverToUser({ userId }: Connection, name: string): Channel | undefined {
  return userId !== undefined && name === `#server-to-user-${userId}` ? { kind: 'public', name } : undefined;
}
