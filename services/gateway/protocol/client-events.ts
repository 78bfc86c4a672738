import { LRUCache } from 'lru-cache';
import { TokenBucket } from '../../edge/token-bucket.ts';
import type { Connection } from '../connections/connection.ts';
import type { Limits } from '../connections/limits.ts';

/** Of so many people it is remembered what they sent; the oldest are forgotten. */
const mostRemembered = 100_000;

/**
 * How many client events each person may send, and how many bytes of them, over all their sockets: everyone on
 * the channel hears each. A socket of which nobody knows whose it is counts by itself.
 */
export class ClientEvents {
  readonly #limits: Limits;
  readonly #people = new LRUCache<string, { events: TokenBucket; bytes: TokenBucket }>({
    max: mostRemembered,
  });

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Whether the connection may send one more now, of so many bytes. */
  take({ userId, id }: Connection, amount: number): boolean {
    const { clientEventsAtOnce, clientEventsEachSecond } = this.#limits;
    const { clientEventBytesAtOnce, clientEventBytesEachSecond } = this.#limits;
    const now = performance.now();
    const key = userId === undefined ? `socket ${id}` : `user ${userId}`;
    const { events, bytes } = this.#people.get(key) ?? {
      events: new TokenBucket(clientEventsAtOnce, now),
      bytes: new TokenBucket(clientEventBytesAtOnce, now),
    };
    this.#people.set(key, { events, bytes });
    return (
      events.take(clientEventsAtOnce, clientEventsEachSecond, now) &&
      bytes.take(clientEventBytesAtOnce, clientEventBytesEachSecond, now, amount)
    );
  }
}
