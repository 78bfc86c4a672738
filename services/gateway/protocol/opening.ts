import type { Bus } from '../../bus/bus.ts';
import type { PushStore } from '../../pushes/push-store.ts';
import type { Connection } from '../connections/connection.ts';
import type { Limits } from '../connections/limits.ts';
import type { PresenceChannels } from '../presence/presence-channels.ts';
import { presencePayload } from '../presence/presence-payload.ts';
import { type AuditChannel, auditChannel } from '../subscriptions/audit-channel.ts';
import { type Channel, isPresence } from '../subscriptions/channel.ts';
import type { ChatRights } from '../subscriptions/chat-rights.ts';
import type { Membership } from '../subscriptions/group-memberships.ts';
import type { Hub } from '../subscriptions/hub.ts';
import { isCacheChannel, type LastEvent, type LastEvents } from '../subscriptions/last-events.ts';
import type { PushFeed } from '../subscriptions/push-feed.ts';
import { Recovery } from '../subscriptions/recovery.ts';
import type { Snapshot, Snapshots } from '../subscriptions/snapshot.ts';
import { refuseSubscription, type Subscription } from '../subscriptions/subscription.ts';
import type { Allowed } from './authorize.ts';
import type { Identities } from './identities.ts';

export interface OpeningOptions {
  readonly appkey: string;
  readonly bus: Bus;
  readonly hub: Hub;
  readonly pushFeed: PushFeed;
  readonly snapshots: Snapshots;
  readonly pushStore: PushStore;
  readonly presenceChannels: PresenceChannels;
  readonly rights: ChatRights;
  readonly lastEvents: LastEvents;
  readonly audit: AuditChannel;
  readonly limits: Limits;
  readonly identities: Identities;
  /** Ends a subscription. */
  end(subscription: Subscription): void;
  /** Ends a subscription of a chat whose two may not chat, and tells the client. */
  revoke(subscription: Subscription): void;
}

/**
 * Opens subscriptions: judges membership and the right to chat, answers, sends what the client missed
 * (docs/realtime.md, "Resuming"), and makes them live.
 */
export class Opening {
  readonly #options: OpeningOptions;
  readonly #recovery: Recovery;

  constructor(options: OpeningOptions) {
    this.#options = options;
    const { pushStore, pushFeed, appkey, limits } = options;
    this.#recovery = new Recovery({ pushStore, pushFeed, appkey, maxEvents: limits.maxReplayedEvents });
  }

  /**
   * Opens a subscription, unless it ends meanwhile.
   * @param since the position that the request names
   * @throws what the database throws
   */
  async open(subscription: Subscription, authorization: Allowed, since: unknown): Promise<void> {
    const { bus, limits, snapshots, presenceChannels, hub, rights, lastEvents, end, revoke } = this.#options;
    const { connection, channel, membership, chat } = subscription;
    if (!(await this.#identify(connection, authorization))) return;
    await bus.settled();
    const snapshot = needsSnapshot(channel)
      ? await snapshots.read(membership && [membership.uid, membership.gid])
      : undefined;
    if (hasEnded(subscription)) return;
    const member =
      membership === undefined || snapshot === undefined || (await this.#isMember(membership, snapshot));
    if (hasEnded(subscription)) return;
    if (!member) {
      end(subscription);
      return refuseSubscription(connection, channel.name, 'no member of this group');
    }
    if (chat !== undefined && !(await rights.of(chat)).chat) return revoke(subscription);
    if (hasEnded(subscription)) return;
    const last = isCacheChannel(channel.name) ? await lastEvents.of(channel.name) : undefined;
    if (hasEnded(subscription)) return;
    const list = isPresence(channel) ? await presenceChannels.join(subscription) : undefined;
    if (hasEnded(subscription)) return;
    const ownId = subscription.user?.userId;
    const data = list === undefined ? '{}' : presencePayload(list, ownId, limits.maxPresenceBytes);
    connection.send('pusher_internal:subscription_succeeded', channel.name, data);
    if (isCacheChannel(channel.name)) sendLastEvent(subscription, last);
    await this.#recover(subscription, snapshot, sinceOf(subscription, since), last);
    if (hasEnded(subscription)) return;
    this.#goLive(subscription);
    hub.put(subscription);
  }

  /** Records the user and the token of the subscription's socket. @returns false if the socket was closed for it */
  async #identify(connection: Connection, { uid, tokenHash }: Allowed): Promise<boolean> {
    const { identities } = this.#options;
    if (tokenHash !== undefined && !(await identities.addToken(connection, tokenHash))) return false;
    return uid === undefined || identities.identify(connection, String(uid));
  }

  /**
   * Decides by the later of the snapshot and the feed. If the snapshot differs from a membership on which other
   * subscriptions depend, the feed has to reach the snapshot first, so that they change in the order of the log.
   */
  async #isMember(membership: Membership, { checkpoint, joinedPosition }: Snapshot): Promise<boolean> {
    const member = joinedPosition !== undefined;
    if (membership.asOf === '') {
      membership.asOf = checkpoint.position;
      membership.member = member;
    } else if (membership.member !== member && membership.asOf < checkpoint.position) {
      await this.#options.pushFeed.reached(checkpoint.position);
    }
    return membership.member;
  }

  /** Sends what the client missed, if it named a position. The subscription is settled after that. */
  async #recover(
    subscription: Subscription,
    snapshot: Snapshot | undefined,
    since: unknown,
    last: LastEvent | undefined,
  ): Promise<void> {
    const { channel } = subscription;
    const position = snapshot?.checkpoint.position ?? last?.version ?? '';
    if (snapshot !== undefined && since !== undefined && 'feed' in channel) {
      const { checkpoint, joinedPosition: from = '' } = snapshot;
      await this.#recovery.run(subscription, { feed: channel.feed, since, from, checkpoint });
    } else if (subscription.overflowed && 'feed' in channel) {
      await this.#recovery.catchUp(subscription, channel.feed, position);
    } else {
      subscription.settle(position);
    }
    if (channel.name === auditChannel) this.#options.audit.begin(position);
  }

  #goLive(subscription: Subscription): void {
    if (subscription.membership?.member === false) {
      subscription.state = 'dormant';
      if (isPresence(subscription.channel)) this.#options.presenceChannels.leave(subscription);
    } else if (
      isCacheChannel(subscription.channel.name)
        ? subscription.skipUpTo === ''
        : subscription.skipUpTo <= this.#options.pushFeed.position
    ) {
      subscription.state = 'live';
    }
  }
}

/** The last event of a cache channel. Events that came since it was read are held, and are not older than it. */
function sendLastEvent({ connection, channel }: Subscription, last: LastEvent | undefined): void {
  if (last === undefined) connection.send('pusher:cache_miss', channel.name, '{}');
  else connection.send(last.event, channel.name, last.data);
}

/** To be asked after every `await`. */
function hasEnded(subscription: Subscription): boolean {
  return subscription.state === 'ended' || !subscription.connection.open;
}

function needsSnapshot(channel: Channel): boolean {
  return 'feed' in channel || 'gid' in channel || channel.kind === 'audit';
}

/**
 * The position from which a subscription resumes: that of the request, or else that of the connection, which is used
 * once for each channel that has a feed. Called only when the subscription is allowed, so that the connection
 * remembers only channels of its user.
 */
function sinceOf({ connection, channel }: Subscription, since: unknown): unknown {
  if (connection.since === undefined || !('feed' in channel)) return since ?? undefined;
  connection.sinceUsed ??= new Set();
  const first = !connection.sinceUsed.has(channel.name);
  connection.sinceUsed.add(channel.name);
  return since ?? (first ? connection.since : undefined);
}
