import {
  afterAll,
  formatPosition,
  type PushCursor,
  parsePosition,
} from '../../../contracts/push/position.ts';
import { FairQueue } from '../../fair-queue.ts';
import type { Checkpoint } from '../../pushes/checkpoint.ts';
import type { Page, PushStore } from '../../pushes/push-store.ts';
import type { Connection } from '../connections/connection.ts';
import type { PushFeed } from './push-feed.ts';
import { framesOf } from './row-frames.ts';
import type { Subscription } from './subscription.ts';

const pageRows = 200;
/**
 * Reads over all sockets, so that clients that resume leave connections of the pool to others; of one person one at a
 * time, which then rests for as long as it took: sockets that resume again and again take no more of the program.
 */
const reads = { maxRunning: 4, maxRunningEach: 1, maxRestMs: 100 };
/** How long a client's position beyond the read models is waited for. */
const futurePositionTimeoutMs = 2_000;

export interface RecoveryOptions {
  readonly pushStore: PushStore;
  readonly pushFeed: Pick<PushFeed, 'reachedWithin'>;
  readonly appkey: string;
  /** If a client missed more events, they are not replayed. */
  readonly maxEvents: number;
}

/** Sends a subscription the events that its client missed (docs/realtime.md, "Resuming"). */
export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #reads = new FairQueue(reads);
  /** The last recovery of each socket, for which the next one waits. */
  readonly #last = new WeakMap<Connection, Promise<void>>();

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /**
   * Sends the events strictly after `since`, in order, then those that came meanwhile; or, if they cannot be given,
   * `reset`. When this resolves the subscription is settled, unless it has ended.
   * @param options.from events before this position are not the user's to read
   * @throws what the database throws
   */
  async run(
    subscription: Subscription,
    options: { feed: string; since: unknown; from: string; checkpoint: Checkpoint },
  ): Promise<void> {
    const { checkpoint, since } = options;
    const { pushStore, pushFeed, maxEvents } = this.#options;
    const seen = typeof since === 'string' ? parsePosition(since) : undefined;
    if (seen === undefined || seen.epoch !== checkpoint.epoch) {
      reset(subscription, checkpoint);
      return;
    }
    // The batch may be one that a crashed database makes again. If it does not come in time, it is not in the log.
    if (
      seen.place > checkpoint.position &&
      !(await pushFeed.reachedWithin(seen.place, futurePositionTimeoutMs))
    ) {
      if (isOpening(subscription)) reset(subscription, checkpoint);
      return;
    }
    await this.#inOrder(subscription.connection, async () => {
      const { feed, from } = options;
      const missed = await this.#read(subscription, () => pushStore.missed(feed, seen, from, maxEvents + 1));
      if (missed === undefined) return;
      if (missed.kept && missed.count <= maxEvents) await this.#replay(subscription, feed, seen, from);
      else reset(subscription, checkpoint);
    });
  }

  /**
   * Settles a subscription from a position on, after more events came than are held for it.
   * @throws what the database throws
   */
  async catchUp(subscription: Subscription, feed: string, position: string): Promise<void> {
    await this.#inOrder(subscription.connection, () =>
      this.#replay(subscription, feed, { place: position, number: afterAll }, ''),
    );
  }

  async #replay(subscription: Subscription, feed: string, after: PushCursor, from: string): Promise<void> {
    let cursor = after;
    while (isOpening(subscription)) {
      // Outside the limit: clients that do not read must not use it up.
      await subscription.connection.drained();
      const page = await this.#read(subscription, async () => {
        subscription.dropHeld();
        const read = await this.#options.pushStore.feedAfter(feed, cursor, from, pageRows);
        if (isOpening(subscription)) this.#write(subscription, read);
        return read;
      });
      if (page === undefined) return;
      if (page.next === undefined && !subscription.overflowed) {
        subscription.settle(page.checkpoint.position);
        return;
      }
      cursor = page.next ?? page.rows.at(-1) ?? cursor;
    }
  }

  /**
   * Reads when it is the turn of the subscription's person.
   * @returns undefined if the subscription does not wait for its events any more
   */
  async #read<Found>(subscription: Subscription, read: () => Promise<Found>): Promise<Found | undefined> {
    const { userId, network } = subscription.connection;
    // As many may wait as there are sockets: a socket's channels recover one after the other.
    const share = { of: userId ?? network, maxWaiting: Number.POSITIVE_INFINITY };
    const found = await this.#reads.run(share, async () => (isOpening(subscription) ? read() : undefined));
    return isOpening(subscription) ? found : undefined;
  }

  /** Escapes as the setting is at the page's checkpoint, like `message/sync` and `message/get`. */
  #write({ connection, channel }: Subscription, { rows, checkpoint }: Page): void {
    if (rows.length === 0) return;
    const { appkey } = this.#options;
    const frames = framesOf(rows, channel.name, { appkey, escapes: checkpoint.escapes });
    connection.write(frames(connection).joined);
    // Within the person's turn, as most of a page's time is the system's, for writing it.
    connection.flush();
  }

  /** The channels of a socket recover one after the other: together they would exceed `maxUnreadBytes`. */
  async #inOrder(connection: Connection, work: () => Promise<void>): Promise<void> {
    const before = this.#last.get(connection);
    const done = (before ?? Promise.resolve()).then(work);
    const last = done.catch(() => undefined);
    this.#last.set(connection, last);
    await done;
    if (this.#last.get(connection) === last) this.#last.delete(connection);
  }
}

/** Tells the client to load afresh; it gets events from the checkpoint on. */
function reset(subscription: Subscription, { position, epoch }: Checkpoint): void {
  const next = formatPosition({ epoch, place: position, number: afterAll });
  subscription.connection.send('reset', subscription.channel.name, JSON.stringify({ position: next }));
  subscription.settle(position);
}

/** Whether the subscription still waits for its events: it has not ended, and its user has not left the group. */
function isOpening({ state, membership }: Subscription): boolean {
  return state === 'opening' && membership?.member !== false;
}
