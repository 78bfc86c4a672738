import { z } from 'zod';
import type { Gid, Uid } from '../../../contracts/ids.ts';
import { jsonObject } from '../../../contracts/push/protocol.ts';
import type { PushRow } from '../../../contracts/push/row.ts';
import { userFeed } from './channel.ts';
import type { ReferenceCountedListeners } from './reference-counted-listeners.ts';
import type { Subscription } from './subscription.ts';

/** Whether a person is in a group, as far as this gateway has read the log. */
export interface Membership {
  readonly uid: Uid;
  readonly gid: Gid;
  member: boolean;
  /** The position at which `member` is true or false; '' until it has been read, and `member` is true until then. */
  asOf: string;
  readonly subscriptions: Set<Subscription>;
}

const OfGroup = z.object({ gid: z.int().positive() });

/**
 * The memberships on which subscriptions depend. They are kept in the order of the log by the pushes `addGroup` and
 * `removeGroup` on the users' channels, to which this gateway listens whether or not the sockets are subscribed.
 */
export class GroupMemberships {
  readonly #byUser = new Map<string, Map<number, Membership>>();
  readonly #feeds: ReferenceCountedListeners;

  constructor(feeds: ReferenceCountedListeners) {
    this.#feeds = feeds;
  }

  /** Tracks the membership on which a subscription depends, until it is released. */
  track(uid: Uid, gid: Gid, subscription: Subscription): Membership {
    const feed = userFeed(uid);
    let groups = this.#byUser.get(feed);
    if (groups === undefined) {
      groups = new Map();
      this.#byUser.set(feed, groups);
      this.#feeds.listen(feed);
    }
    let membership = groups.get(gid);
    if (membership === undefined) {
      membership = { uid, gid, member: true, asOf: '', subscriptions: new Set() };
      groups.set(gid, membership);
    }
    membership.subscriptions.add(subscription);
    return membership;
  }

  /** The subscription does not depend on the membership any more. */
  release(membership: Membership, subscription: Subscription): void {
    membership.subscriptions.delete(subscription);
    if (membership.subscriptions.size > 0) return;
    const feed = userFeed(membership.uid);
    const groups = this.#byUser.get(feed);
    if (groups?.get(membership.gid) !== membership) return;
    groups.delete(membership.gid);
    if (groups.size > 0) return;
    this.#byUser.delete(feed);
    this.#feeds.unlisten(feed);
  }

  /** The tracked membership that a row of the log changes, and its new value; undefined if it changes none. */
  changedBy(row: PushRow): { membership: Membership; member: boolean } | undefined {
    if (row.event !== 'addGroup' && row.event !== 'removeGroup') return undefined;
    const groups = this.#byUser.get(row.channel);
    if (groups === undefined) return undefined;
    const gid = OfGroup.safeParse(jsonObject(row.data)).data?.gid;
    const membership = gid === undefined ? undefined : groups.get(gid);
    if (membership === undefined || row.place <= membership.asOf) return undefined;
    return { membership, member: row.event === 'addGroup' };
  }

  /** All tracked memberships. */
  *all(): IterableIterator<Membership> {
    for (const groups of this.#byUser.values()) yield* groups.values();
  }
}
