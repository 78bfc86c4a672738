import type { Logger } from 'pino';
import { pushCodes } from '../../../contracts/push/protocol.ts';
import type { PushRow } from '../../../contracts/push/row.ts';
import { userFeed } from './channel.ts';
import type { ChatRights, InChat } from './chat-rights.ts';
import type { ReferenceCountedListeners } from './reference-counted-listeners.ts';
import type { Subscription } from './subscription.ts';

/** The subscriptions of one person to the channels of their chats with others. */
type ChatSubscriptions = Map<Subscription, InChat>;

/**
 * The channels of two (`private-chat-…`, `presence-chat-…`). Their subscriptions are judged again whenever a push of
 * the log says that the two may not chat any more: a friendship ended, or a setting changed.
 */
export class ChatChannels {
  readonly #rights: ChatRights;
  readonly #feeds: ReferenceCountedListeners;
  readonly #logger: Logger;
  readonly #revoke: (subscription: Subscription) => void;
  readonly #byFeed = new Map<string, ChatSubscriptions>();

  constructor(options: {
    rights: ChatRights;
    /** The feeds of the log to which this gateway listens. */
    feeds: ReferenceCountedListeners;
    logger: Logger;
    /** Ends a subscription whose two may not chat any more. */
    revoke(subscription: Subscription): void;
  }) {
    this.#rights = options.rights;
    this.#feeds = options.feeds;
    this.#logger = options.logger;
    this.#revoke = options.revoke;
  }

  /** Keeps judging a subscription until it is released. */
  track(subscription: Subscription, chat: InChat): void {
    const feed = userFeed(chat.uid);
    let subscriptions = this.#byFeed.get(feed);
    if (subscriptions === undefined) {
      subscriptions = new Map();
      this.#byFeed.set(feed, subscriptions);
      this.#feeds.listen(feed);
    }
    subscriptions.set(subscription, chat);
  }

  release(subscription: Subscription, { uid }: InChat): void {
    const feed = userFeed(uid);
    const subscriptions = this.#byFeed.get(feed);
    if (!subscriptions?.delete(subscription) || subscriptions.size > 0) return;
    this.#byFeed.delete(feed);
    this.#feeds.unlisten(feed);
  }

  /** Judges the subscriptions that a row of the log may end. Returns at once. */
  onRow(row: PushRow): void {
    if (row.event === 'removeFriend') void this.#judge(this.#byFeed.get(row.channel));
    else if (row.event === 'settingChange') this.judgeAll();
  }

  /** Judges all subscriptions, since pushes may have been missed. Returns at once. */
  judgeAll(): void {
    for (const subscriptions of this.#byFeed.values()) void this.#judge(subscriptions);
  }

  async #judge(subscriptions: ChatSubscriptions | undefined): Promise<void> {
    await Promise.all(
      [...(subscriptions ?? [])].map(async ([subscription, chat]) => {
        try {
          const { chat: allowed } = await this.#rights.of(chat);
          if (!allowed && subscriptions?.has(subscription)) this.#revoke(subscription);
        } catch (error) {
          this.#logger.warn({ err: error }, 'the right to a chat could not be read; its socket is closed');
          subscription.connection.close(pushCodes.overCapacity, 'not ready: come again');
        }
      }),
    );
  }
}
