import { z } from 'zod';
import type { Gid, Uid } from '../../../contracts/ids.ts';
import { jsonObject } from '../../../contracts/push/protocol.ts';
import type { PushRow } from '../../../contracts/push/row.ts';
import { userFeed } from './channel-name.ts';
import type { Listeners } from './listeners.ts';
import type { Subscription } from './subscription.ts';

/**
 * Whether a person is in a group, as far as the gateway has heard: up to `asOf` in the log. While
 * that is still empty nobody has looked, and what comes is held as if they were.
 */
export interface Membership {
  readonly uid: Uid;
  readonly gid: Gid;
  member: boolean;
  asOf: string;
  readonly subscriptions: Set<Subscription>;
}

const OfGroup = z.object({ gid: z.int().positive() });

/**
 * The memberships on which some subscription hangs, kept in the order of the log by the
 * `addGroup` and `removeGroup` of their users' channels, whether or not the socket hears those.
 */
export class Memberships {
  readonly #byUser = new Map<string, Map<number, Membership>>();
  readonly #feeds: Listeners;

  constructor(feeds: Listeners) {
    this.#feeds = feeds;
  }

  /** Keeps track of the membership on which a subscription hangs, until it is let go of. */
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

  /** Lets go of it. */
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

  /** The membership that a row of the log changes, and to what; undefined where it changes none. */
  changedBy(row: PushRow): { membership: Membership; member: boolean } | undefined {
    if (row.event !== 'addGroup' && row.event !== 'removeGroup') return undefined;
    const groups = this.#byUser.get(row.channel);
    if (groups === undefined) return undefined;
    const gid = OfGroup.safeParse(jsonObject(row.data)).data?.gid;
    const membership = gid === undefined ? undefined : groups.get(gid);
    if (membership === undefined || row.place <= membership.asOf) return undefined;
    return { membership, member: row.event === 'addGroup' };
  }

  /** All that are kept track of. */
  *all(): IterableIterator<Membership> {
    for (const groups of this.#byUser.values()) yield* groups.values();
  }
}
