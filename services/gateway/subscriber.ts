import type { Logger } from 'pino';
import { pushCodes, Subscribe } from '../../contracts/push/protocol.ts';
import type { Bus } from '../bus/bus.ts';
import { type Audit, auditChannel } from './audit.ts';
import { type Allowed, authorize } from './authorize.ts';
import { type Channel, chatOf, isPresence, readChannel, topicOf } from './channel-name.ts';
import type { ChatRights } from './chat-rights.ts';
import type { Chats } from './chats.ts';
import type { Connection } from './connection.ts';
import type { Identities } from './identities.ts';
import type { Limits } from './limits.ts';
import { Listeners } from './listeners.ts';
import type { Look, Looks } from './look.ts';
import type { Members } from './members.ts';
import type { Membership, Memberships } from './memberships.ts';
import { presenceData } from './presence-data.ts';
import type { PushRecord } from './record.ts';
import { Replay } from './replay.ts';
import type { Rooms } from './rooms.ts';
import type { App } from './signature.ts';
import { Subscription } from './subscription.ts';
import type { Tail } from './tail.ts';

export interface SubscriberOptions {
  readonly app: App;
  readonly bus: Bus;
  readonly rooms: Rooms;
  readonly tail: Tail;
  readonly looks: Looks;
  readonly record: PushRecord;
  readonly memberships: Memberships;
  readonly members: Members;
  readonly rights: ChatRights;
  readonly chats: Chats;
  readonly audit: Audit;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly identities: Identities;
  /** Hears a signal on a channel's topic. */
  hearTopic(topic: string): () => void;
}

/** Takes subscriptions up and ends them. */
export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #replay: Replay;
  readonly #topics: Listeners;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#replay = new Replay(options.record, options.tail, options.limits.replayedEvents);
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
    if (channel === undefined) return refuse(connection, request.channel, 'no channel can have this name');
    const authorization = authorize(app, connection, channel, request);
    if (!authorization.allowed) return refuse(connection, channel.name, authorization.reason);
    const before = connection.subscriptions.get(channel.name);
    if (before === undefined && connection.subscriptions.size >= limits.subscriptionsOfSocket) {
      return refuse(connection, channel.name, 'too many subscriptions on one connection');
    }
    const subscription = new Subscription(connection, channel, authorization.hearer);
    this.#end(before, subscription);
    this.#begin(subscription, authorization);
    try {
      await this.#open(subscription, authorization, request.since ?? authorization.since);
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
    refuse(subscription.connection, subscription.channel.name, 'these two may not chat');
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

  async #open(subscription: Subscription, authorization: Allowed, since: unknown): Promise<void> {
    const { bus, limits, looks, members, rooms, rights } = this.#options;
    const { connection, channel, membership, chat } = subscription;
    if (!(await this.#identify(connection, authorization))) return;
    await bus.settled();
    const look = needsLook(channel)
      ? await looks.look(membership && [membership.uid, membership.gid])
      : undefined;
    if (hasEnded(subscription)) return;
    const member = membership === undefined || look === undefined || (await this.#isMember(membership, look));
    if (hasEnded(subscription)) return;
    if (!member) {
      this.#end(subscription);
      return refuse(connection, channel.name, 'no member of this group');
    }
    if (hasEnded(subscription)) return;
    if (chat !== undefined && !(await rights.of(chat)).chat) return this.revoke(subscription);
    if (hasEnded(subscription)) return;
    const list = isPresence(channel) ? await members.join(subscription) : undefined;
    if (hasEnded(subscription)) return;
    const own = subscription.hearer?.userId;
    const data = list === undefined ? '{}' : presenceData(list, own, limits.presenceBytes);
    connection.send('pusher_internal:subscription_succeeded', channel.name, data);
    await this.#give(subscription, look, sinceOf(subscription, since));
    if (hasEnded(subscription)) return;
    this.#goLive(subscription);
    rooms.place(subscription);
  }

  /** Notes who is known by the subscription to be there; false where the socket was closed for it. */
  async #identify(connection: Connection, { uid, session }: Allowed): Promise<boolean> {
    const { identities } = this.#options;
    if (session !== undefined && !(await identities.under(connection, session))) return false;
    return uid === undefined || identities.know(connection, String(uid));
  }

  /**
   * By whichever is the later: what was read, or what was heard. Where other subscriptions hang on
   * the membership and it has changed, the log is heard up to what was read, so that they hear in
   * its order.
   */
  async #isMember(membership: Membership, { checkpoint, joinedPlace }: Look): Promise<boolean> {
    const member = joinedPlace !== undefined;
    if (membership.asOf === '') {
      membership.asOf = checkpoint.position;
      membership.member = member;
    } else if (membership.member !== member && membership.asOf < checkpoint.position) {
      await this.#options.tail.taken(checkpoint.position);
    }
    return membership.member;
  }

  /** Replays where it is asked for; afterwards the subscription is settling. */
  async #give(subscription: Subscription, look: Look | undefined, since: unknown): Promise<void> {
    const { channel } = subscription;
    const place = look?.checkpoint.position ?? '';
    if (look !== undefined && since !== undefined && 'feed' in channel) {
      const { checkpoint, joinedPlace: from = '' } = look;
      await this.#replay.run(subscription, { feed: channel.feed, since, from, checkpoint });
    } else if (subscription.overflowed && 'feed' in channel) {
      await this.#replay.catchUp(subscription, channel.feed, place);
    } else {
      subscription.settle(place);
    }
    if (channel.name === auditChannel) this.#options.audit.begin(place);
  }

  #goLive(subscription: Subscription): void {
    if (subscription.membership?.member === false) {
      subscription.state = 'dormant';
      if (isPresence(subscription.channel)) this.#options.members.leave(subscription);
    } else if (subscription.after <= this.#options.tail.place) {
      subscription.state = 'live';
    }
  }
}

function refuse(connection: Connection, channel: string, error: string): void {
  const data = JSON.stringify({ type: 'AuthError', error, status: 403 });
  connection.send('pusher:subscription_error', channel, data);
}

/** Sees anew what may have changed while something was waited for. */
function hasEnded(subscription: Subscription): boolean {
  return subscription.state === 'ended' || !subscription.connection.open;
}

function needsLook(channel: Channel): boolean {
  return 'feed' in channel || 'gid' in channel || channel.kind === 'audit';
}

/**
 * `since` of the request goes before that of the connection, which counts once for each channel that has
 * events of the log. Asked only once the subscription is allowed, so that a socket keeps no more names than
 * its person may hear.
 */
function sinceOf({ connection, channel }: Subscription, since: unknown): unknown {
  if (connection.since === undefined || !('feed' in channel)) return since ?? undefined;
  connection.sinceUsed ??= new Set();
  const first = !connection.sinceUsed.has(channel.name);
  connection.sinceUsed.add(channel.name);
  return since ?? (first ? connection.since : undefined);
}

/** Where pusher-js listens for its signed-in user: that user alone may. */
function serverToUser({ userId }: Connection, name: string): Channel | undefined {
  return userId !== undefined && name === `#server-to-user-${userId}` ? { kind: 'public', name } : undefined;
}
