import {
  afterAll,
  formatPosition,
  type PushPosition,
  parsePosition,
} from '../../../contracts/push/position.ts';
import type { Checkpoint, Cursor, Page, PushRecord } from '../../pushes/record.ts';
import type { Connection } from '../connections/connection.ts';
import { framesOf } from './row-frames.ts';
import type { Subscription } from './subscription.ts';
import type { Tail } from './tail.ts';

const pageSize = 200;
const mostAtOnce = 4;

/** How long a position beyond the read models is waited for, in milliseconds. */
const patience = 2_000;

/** Gives a subscription what was pushed on its feed since the client was last there (docs/realtime.md, "Resuming"). */
export class Replay {
  readonly #record: PushRecord;
  readonly #tail: Pick<Tail, 'takenWithin'>;
  readonly #appkey: string;
  readonly #mostEvents: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  /** What a socket's next replay waits for. */
  readonly #last = new WeakMap<Connection, Promise<void>>();

  constructor(options: {
    record: PushRecord;
    tail: Pick<Tail, 'takenWithin'>;
    appkey: string;
    /** More than this is not replayed. */
    mostEvents: number;
  }) {
    this.#record = options.record;
    this.#tail = options.tail;
    this.#appkey = options.appkey;
    this.#mostEvents = options.mostEvents;
  }

  /**
   * Gives what stands strictly after `since`, in order, or a `reset` where that cannot be given;
   * then what came live meanwhile. The subscription is settled when this resolves, unless it has
   * ended. @param from nothing before this place is the hearer's to read.
   * @throws what the database throws.
   */
  async run(
    subscription: Subscription,
    options: { feed: string; since: unknown; from: string; checkpoint: Checkpoint },
  ): Promise<void> {
    const { checkpoint, since } = options;
    const position = typeof since === 'string' ? parsePosition(since) : undefined;
    if (position === undefined || position.epoch !== checkpoint.epoch) {
      this.#reset(subscription, checkpoint);
      return;
    }
    // It may be of a batch that a crashed database makes again; what does not come in time is not in the log.
    if (position.place > checkpoint.position && !(await this.#tail.takenWithin(position.place, patience))) {
      if (isHeard(subscription)) this.#reset(subscription, checkpoint);
      return;
    }
    await this.#inOrder(subscription.connection, async () => {
      const { feed, from } = options;
      const missed = await this.#inTurn(() =>
        this.#record.missed(feed, position, from, this.#mostEvents + 1),
      );
      if (missed.kept && missed.count <= this.#mostEvents)
        await this.#give(subscription, feed, position, from);
      else if (isHeard(subscription)) this.#reset(subscription, checkpoint);
    });
  }

  /**
   * Settles a subscription that is to hear what comes after a place, where more came meanwhile than
   * was held. @throws what the database throws.
   */
  async catchUp(subscription: Subscription, feed: string, place: string): Promise<void> {
    await this.#inOrder(subscription.connection, () =>
      this.#give(subscription, feed, { place, number: afterAll }, ''),
    );
  }

  async #give(subscription: Subscription, feed: string, after: Cursor, from: string): Promise<void> {
    let cursor = after;
    while (isHeard(subscription)) {
      // Before it holds a turn, or those who do not read would hold everybody's.
      await subscription.connection.drained();
      const page = await this.#inTurn(() => {
        subscription.holdAnew();
        return this.#record.feedAfter(feed, cursor, from, pageSize);
      });
      if (!isHeard(subscription)) return;
      this.#write(subscription, page);
      cursor = page.rows.at(-1) ?? cursor;
      if (!page.more && !subscription.overflowed) {
        subscription.settle(page.checkpoint.position);
        return;
      }
    }
  }

  /** As the settings say at the page's checkpoint: what is replayed is shown as message/sync and message/get show it. */
  #write({ connection, channel }: Subscription, { rows, checkpoint }: Page): void {
    if (rows.length === 0) return;
    const frames = framesOf(rows, channel.name, { appkey: this.#appkey, escapes: checkpoint.escapes });
    connection.write(frames(connection).joined);
  }

  /** Says to load afresh; what is live follows, from the checkpoint on. */
  #reset(subscription: Subscription, { position: place, epoch }: Checkpoint): void {
    sendReset(subscription, { epoch, place });
    subscription.settle(place);
  }

  /** One channel of a socket after the other: together they would write more than it reads. */
  async #inOrder(connection: Connection, work: () => Promise<void>): Promise<void> {
    const before = this.#last.get(connection);
    const done = (before ?? Promise.resolve()).then(work);
    const last = done.catch(() => undefined);
    this.#last.set(connection, last);
    await done;
    if (this.#last.get(connection) === last) this.#last.delete(connection);
  }

  /** Few pages are read at once, over all sockets. */
  async #inTurn<Result>(read: () => Promise<Result>): Promise<Result> {
    while (this.#running >= mostAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
    try {
      return await read();
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}

/** Tells one subscription to load afresh, and where it stands now. */
export function sendReset(
  subscription: Subscription,
  { epoch, place }: Pick<PushPosition, 'epoch' | 'place'>,
): void {
  const position = formatPosition({ epoch, place, number: afterAll });
  subscription.connection.send('reset', subscription.channel.name, JSON.stringify({ position }));
}

/** Neither ended nor, in a group, left meanwhile. */
function isHeard(subscription: Subscription): boolean {
  return subscription.state === 'opening' && subscription.membership?.member !== false;
}
