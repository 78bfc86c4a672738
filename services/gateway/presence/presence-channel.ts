import type { Subscription } from '../subscriptions/subscription.ts';
import type { ChannelChanges, MemberChange } from './presence-channel-store.ts';

/** Who is on a presence channel: each user's id and info, as JSON. */
export type MemberList = ReadonlyMap<string, string | null>;

/** After this time all members are read again. Departures can be read for twice as long. */
const maxChangesMs = 60_000;

/** A presence channel with subscriptions on this gateway. */
export class PresenceChannel {
  /** The subscriptions of each user on this gateway. */
  readonly #here = new Map<string, Set<Subscription>>();
  readonly #members = new Map<string, string | null>();
  #version: number | undefined;
  #readAllAt = 0;

  /** The users with subscriptions on this gateway. */
  get users(): string[] {
    return [...this.#here.keys()];
  }

  /** Any subscription of a user on this gateway. */
  subscriptionOf(userId: string): Subscription | undefined {
    return this.#here.get(userId)?.values().next().value;
  }

  /** Adds a subscription of a user. @returns whether it is the user's first here */
  add(userId: string, subscription: Subscription): boolean {
    const subscriptions = this.#here.get(userId) ?? new Set();
    this.#here.set(userId, subscriptions.add(subscription));
    return subscriptions.size === 1;
  }

  /** Removes a subscription of a user. @returns whether it was the user's last here */
  remove(userId: string, subscription: Subscription): boolean {
    const subscriptions = this.#here.get(userId);
    if (!subscriptions?.delete(subscription) || subscriptions.size > 0) return false;
    return this.#here.delete(userId);
  }

  /** Replaces a subscription by another of the same user. @returns false if the first is not here */
  replace(userId: string, before: Subscription, after: Subscription): boolean {
    const subscriptions = this.#here.get(userId);
    if (!subscriptions?.delete(before)) return false;
    subscriptions.add(after);
    return true;
  }

  /** The members on all gateways, as the subscribers here know them. */
  get members(): MemberList {
    return this.#members;
  }

  /** The version after which changes are to be read; undefined if all members are to be read. */
  get since(): number | undefined {
    return performance.now() - this.#readAllAt < maxChangesMs ? this.#version : undefined;
  }

  /** Applies what was read. @returns the users who came or left by it */
  apply({ version, changes }: ChannelChanges, readAll: boolean): MemberChange[] {
    // The newest version found may be lower than before, since old departures are deleted.
    this.#version = Math.max(version, this.#version ?? 0);
    const different = changes.filter(({ userId, here }) => here !== this.#members.has(userId));
    if (readAll) {
      this.#readAllAt = performance.now();
      const all = new Set(changes.map(({ userId }) => userId));
      for (const userId of this.#members.keys()) {
        if (!all.has(userId)) different.push({ userId, info: null, here: false });
      }
    }
    for (const { userId, info, here } of changes) if (here) this.#members.set(userId, info);
    for (const { userId, here } of different) if (!here) this.#members.delete(userId);
    return different;
  }
}
