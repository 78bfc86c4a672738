import type { Logger } from 'pino';
import { pushCodes } from '../../../contracts/push/protocol.ts';
import type { PushRow } from '../../../contracts/push/row.ts';
import { userFeed } from './channel-name.ts';
import type { ChatRights, InChat } from './chat-rights.ts';
import type { Listeners } from './listeners.ts';
import type { Subscription } from './subscription.ts';

/** The subscriptions of one person to the channels of their chats with others. */
interface Hearing {
  readonly chats: Map<Subscription, InChat>;
}

/**
 * The channels of two (`private-chat-…`, `presence-chat-…`). Who may hear one is judged again whenever the
 * log says that it may have changed: a friendship that ended, another setting.
 */
export class Chats {
  readonly #rights: ChatRights;
  readonly #feeds: Listeners;
  readonly #logger: Logger;
  readonly #revoke: (subscription: Subscription) => void;
  readonly #byUser = new Map<string, Hearing>();

  constructor(options: {
    rights: ChatRights;
    /** The feeds of the log that this gateway hears. */
    feeds: Listeners;
    logger: Logger;
    /** Ends a subscription whose person may not hear it any more. */
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
    let hearing = this.#byUser.get(feed);
    if (hearing === undefined) {
      hearing = { chats: new Map() };
      this.#byUser.set(feed, hearing);
      this.#feeds.listen(feed);
    }
    hearing.chats.set(subscription, chat);
  }

  /** Lets go of a subscription. */
  release(subscription: Subscription, { uid }: InChat): void {
    const feed = userFeed(uid);
    const hearing = this.#byUser.get(feed);
    if (!hearing?.chats.delete(subscription) || hearing.chats.size > 0) return;
    this.#byUser.delete(feed);
    this.#feeds.unlisten(feed);
  }

  /** Takes a row of the log. Returns at once; what follows from it is done soon. */
  heard(row: PushRow): void {
    if (row.event === 'removeFriend') void this.#judge(this.#byUser.get(row.channel));
    else if (row.event === 'settingChange') this.judgeAll();
  }

  /** Judges all anew: something may have been missed. Returns at once. */
  judgeAll(): void {
    for (const hearing of this.#byUser.values()) void this.#judge(hearing);
  }

  async #judge(hearing: Hearing | undefined): Promise<void> {
    const chats = [...(hearing?.chats ?? [])];
    await Promise.all(
      chats.map(async ([subscription, chat]) => {
        try {
          if (!(await this.#rights.of(chat)).chat && hearing?.chats.has(subscription))
            this.#revoke(subscription);
        } catch (error) {
          this.#logger.warn({ err: error }, 'a chat could not be judged anew; its socket is to come again');
          subscription.connection.close(pushCodes.overCapacity, 'not ready: come again');
        }
      }),
    );
  }
}
