import type { Connection } from '../connections/connection.ts';
import type { Limits } from '../connections/limits.ts';
import type { Subscription } from '../subscriptions/subscription.ts';

/**
 * Counts the subscriptions of each person over all their sockets, and those of the anonymous sockets of each address:
 * a subscription takes up to 2 KB of memory, and one person may have 100 sockets, one address 20,000.
 */
export class SubscriptionShares {
  readonly #limits: Pick<Limits, 'maxSubscriptionsPerUser' | 'maxAnonymousSubscriptionsPerAddress'>;
  readonly #counts = new Map<string, number>();
  /** Under which name each is counted: its socket may get a user later. */
  readonly #shares = new WeakMap<Subscription, string>();

  constructor(limits: Pick<Limits, 'maxSubscriptionsPerUser' | 'maxAnonymousSubscriptionsPerAddress'>) {
    this.#limits = limits;
  }

  /** Whether one more subscription of this socket's person, or else of its address, would be too many. */
  full({ userId, network }: Connection): boolean {
    const { maxSubscriptionsPerUser, maxAnonymousSubscriptionsPerAddress } = this.#limits;
    const max = userId === undefined ? maxAnonymousSubscriptionsPerAddress : maxSubscriptionsPerUser;
    return (this.#counts.get(shareOf(userId, network)) ?? 0) >= max;
  }

  add(subscription: Subscription): void {
    const { userId, network } = subscription.connection;
    const share = shareOf(userId, network);
    this.#shares.set(subscription, share);
    this.#counts.set(share, (this.#counts.get(share) ?? 0) + 1);
  }

  remove(subscription: Subscription): void {
    const share = this.#shares.get(subscription);
    if (share === undefined) return;
    const left = (this.#counts.get(share) ?? 1) - 1;
    if (left > 0) this.#counts.set(share, left);
    else this.#counts.delete(share);
  }
}

function shareOf(userId: string | undefined, network: string): string {
  return userId === undefined ? network : `user ${userId}`;
}
