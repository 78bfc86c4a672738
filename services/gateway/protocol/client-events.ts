import { TokenBucket } from '../../edge/token-bucket.ts';
import { growingCache } from '../../growing-cache.ts';
import type { Connection } from '../connections/connection.ts';
import type { Limits } from '../connections/limits.ts';

/** The buckets of the senders that sent least recently are dropped beyond this number. */
const maxSenders = 100_000;

/**
 * Limits the client events of each user, and their bytes, over all the user's sockets: every event is sent to
 * everyone on its channel. An anonymous socket has limits of its own.
 */
export class ClientEventLimit {
  readonly #limits: Limits;
  readonly #senders = growingCache<string, { events: TokenBucket; bytes: TokenBucket }>(maxSenders);

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Counts a client event. @returns false if it exceeds the sender's limits */
  allows({ userId, id }: Connection, eventBytes: number): boolean {
    const { clientEventBurst, clientEventsPerSecond } = this.#limits;
    const { clientEventByteBurst, clientEventBytesPerSecond } = this.#limits;
    const now = performance.now();
    const key = userId === undefined ? `socket ${id}` : `user ${userId}`;
    const { events, bytes } = this.#senders.get(key) ?? {
      events: new TokenBucket(clientEventBurst, now),
      bytes: new TokenBucket(clientEventByteBurst, now),
    };
    this.#senders.set(key, { events, bytes });
    return (
      events.take(clientEventBurst, clientEventsPerSecond, now) &&
      bytes.take(clientEventByteBurst, clientEventBytesPerSecond, now, eventBytes)
    );
  }
}
