import type { Subscription } from '../subscriptions/subscription.ts';
import type { ChannelChanges, MemberChange } from './member-store.ts';

/** Who is on a presence channel: each user's id with their info, JSON as text. */
export type MemberList = ReadonlyMap<string, string | null>;

/**
 * For so long a gateway goes by the changes that it reads; then it reads all members once, whatever the
 * changes said. Departures are kept for longer. In milliseconds.
 */
const changesSuffice = 60_000;

/** A presence channel with subscriptions on this gateway. */
export class PresenceChannel {
  /** The subscriptions of each user here. */
  readonly #here = new Map<string, Set<Subscription>>();
  readonly #members = new Map<string, string | null>();
  #version: number | undefined;
  #readAllAt = 0;

  /** The users with subscriptions here. */
  get users(): string[] {
    return [...this.#here.keys()];
  }

  /** Any subscription of a user here. */
  subscriptionOf(userId: string): Subscription | undefined {
    return this.#here.get(userId)?.values().next().value;
  }

  /** Adds a subscription of a user. @returns whether it is the user's first here */
  add(userId: string, subscription: Subscription): boolean {
    const subscriptions = this.#here.get(userId) ?? new Set();
    this.#here.set(userId, subscriptions.add(subscription));
    return subscriptions.size === 1;
  }

  /** Takes a subscription of a user away. @returns whether it was the user's last here */
  remove(userId: string, subscription: Subscription): boolean {
    const subscriptions = this.#here.get(userId);
    if (!subscriptions?.delete(subscription) || subscriptions.size > 0) return false;
    return this.#here.delete(userId);
  }

  /** One subscription takes the place of another of the same user. @returns false if that one is not here */
  replace(userId: string, before: Subscription, after: Subscription): boolean {
    const subscriptions = this.#here.get(userId);
    if (!subscriptions?.delete(before)) return false;
    subscriptions.add(after);
    return true;
  }

  /** Who is on it over all gateways, as the sockets here have been told. */
  get members(): MemberList {
    return this.#members;
  }

  /** Since which version changes are to be read; undefined if all members are. */
  get since(): number | undefined {
    return performance.now() - this.#readAllAt < changesSuffice ? this.#version : undefined;
  }

  /** Takes what was read. @returns those for whom it makes a difference. */
  take({ version, changes }: ChannelChanges, readAll: boolean): MemberChange[] {
    // Departures that are cleared away take the newest version with them.
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
