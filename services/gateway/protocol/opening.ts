import type { Bus } from '../../bus/bus.ts';
import type { PushRecord } from '../../pushes/record.ts';
import type { Connection } from '../connections/connection.ts';
import type { Limits } from '../connections/limits.ts';
import type { Members } from '../presence/members.ts';
import { presenceData } from '../presence/presence-data.ts';
import { type Audit, auditChannel } from '../subscriptions/audit.ts';
import { type Channel, isPresence } from '../subscriptions/channel-name.ts';
import type { ChatRights } from '../subscriptions/chat-rights.ts';
import { isCacheChannel, type LastEvent, type LastEvents } from '../subscriptions/last-events.ts';
import type { Look, Looks } from '../subscriptions/look.ts';
import type { Membership } from '../subscriptions/memberships.ts';
import { Replay } from '../subscriptions/replay.ts';
import type { Rooms } from '../subscriptions/rooms.ts';
import { refuseSubscription, type Subscription } from '../subscriptions/subscription.ts';
import type { Tail } from '../subscriptions/tail.ts';
import type { Allowed } from './authorize.ts';
import type { Identities } from './identities.ts';

export interface OpeningOptions {
  readonly appkey: string;
  readonly bus: Bus;
  readonly rooms: Rooms;
  readonly tail: Tail;
  readonly looks: Looks;
  readonly record: PushRecord;
  readonly members: Members;
  readonly rights: ChatRights;
  readonly lastEvents: LastEvents;
  readonly audit: Audit;
  readonly limits: Limits;
  readonly identities: Identities;
  /** Ends a subscription. */
  end(subscription: Subscription): void;
  /** Ends a subscription of a chat whose two may not chat, and tells the client. */
  revoke(subscription: Subscription): void;
}

/**
 * Brings subscriptions that were taken up to the point where they are heard: judged, answered, given what
 * the client missed (docs/realtime.md, "Resuming"), and live.
 */
export class Opening {
  readonly #options: OpeningOptions;
  readonly #replay: Replay;

  constructor(options: OpeningOptions) {
    this.#options = options;
    const { record, tail, appkey, limits } = options;
    this.#replay = new Replay({ record, tail, appkey, mostEvents: limits.replayedEvents });
  }

  /**
   * Opens a subscription, unless it ends meanwhile. @param since from which position the request resumes it.
   * @throws what the database throws.
   */
  async open(subscription: Subscription, authorization: Allowed, since: unknown): Promise<void> {
    const { bus, limits, looks, members, rooms, rights, lastEvents, end, revoke } = this.#options;
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
      end(subscription);
      return refuseSubscription(connection, channel.name, 'no member of this group');
    }
    if (hasEnded(subscription)) return;
    if (chat !== undefined && !(await rights.of(chat)).chat) return revoke(subscription);
    if (hasEnded(subscription)) return;
    const last = isCacheChannel(channel.name) ? await lastEvents.of(channel.name) : undefined;
    if (hasEnded(subscription)) return;
    const list = isPresence(channel) ? await members.join(subscription) : undefined;
    if (hasEnded(subscription)) return;
    const own = subscription.hearer?.userId;
    const data = list === undefined ? '{}' : presenceData(list, own, limits.presenceBytes);
    connection.send('pusher_internal:subscription_succeeded', channel.name, data);
    if (isCacheChannel(channel.name)) giveLast(subscription, last);
    await this.#give(subscription, look, sinceOf(subscription, since), last);
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
  async #give(
    subscription: Subscription,
    look: Look | undefined,
    since: unknown,
    last: LastEvent | undefined,
  ): Promise<void> {
    const { channel } = subscription;
    const place = look?.checkpoint.position ?? last?.version ?? '';
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
    } else if (
      isCacheChannel(subscription.channel.name)
        ? subscription.after === ''
        : subscription.after <= this.#options.tail.place
    ) {
      subscription.state = 'live';
    }
  }
}

/** On a cache channel its last event comes first. What came live since it was read is held, and is not older. */
function giveLast({ connection, channel }: Subscription, last: LastEvent | undefined): void {
  if (last === undefined) connection.send('pusher:cache_miss', channel.name, '{}');
  else connection.send(last.event, channel.name, last.data);
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
