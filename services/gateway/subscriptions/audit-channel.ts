import type { Logger } from 'pino';
import { z } from 'zod';
import { afterAll, type PushCursor } from '../../../contracts/push/position.ts';
import { jsonObject } from '../../../contracts/push/protocol.ts';
import type { PushRow } from '../../../contracts/push/row.ts';
import type { PushStore } from '../../pushes/push-store.ts';
import type { Hub } from './hub.ts';

/** The channel that carries every message. */
export const auditChannel = 'private-audit';

const pageRows = 500;
const retryDelayMs = 1_000;
const Sent = z.object({ from: z.coerce.string() });

/**
 * Delivers every message once, for monitoring, live only (docs/realtime.md, "Channels"). The messages are read from
 * `pushes.push` while the channel has subscribers, so that no gateway has to listen to every channel on the bus.
 */
export class AuditChannel {
  readonly #pushStore: PushStore;
  readonly #hub: Hub;
  readonly #logger: Logger;
  /** The last message that was delivered; undefined while there are no subscribers. */
  #cursor: PushCursor | undefined;
  #reading = false;
  #readAgain = false;

  constructor(options: { pushStore: PushStore; hub: Hub; logger: Logger }) {
    this.#pushStore = options.pushStore;
    this.#hub = options.hub;
    this.#logger = options.logger;
  }

  /** A subscription begins at this position of the log. */
  begin(position: string): void {
    this.#cursor ??= { place: position, number: afterAll };
    // For messages that were committed after the position was read and before now.
    this.wake();
  }

  /** Reads new messages, if there are subscribers. Returns at once. */
  wake(): void {
    if (this.#cursor === undefined) return;
    if (this.#hub.subscriptionCount(auditChannel) === 0) {
      if (!this.#hub.has(auditChannel)) this.#cursor = undefined;
      return;
    }
    this.#readAgain = true;
    if (!this.#reading) void this.#read();
  }

  async #read(): Promise<void> {
    this.#reading = true;
    try {
      while (this.#readAgain && this.#cursor !== undefined) {
        this.#readAgain = false;
        const { checkpoint, rows, next } = await this.#pushStore.messagesAfter(this.#cursor, pageRows);
        const once = rows.filter(isSendersOwn);
        if (once.length > 0) this.#hub.deliverRowsTo(auditChannel, once, checkpoint.escapes);
        this.#cursor = next ?? { place: checkpoint.position, number: afterAll };
        this.#readAgain ||= next !== undefined;
      }
    } catch (error) {
      this.#logger.warn({ err: error }, 'the messages for the audit could not be read; retrying');
      setTimeout(() => this.wake(), retryDelayMs).unref();
    } finally {
      this.#reading = false;
    }
  }
}

/** A message between two people has a row on the channel of each: only the sender's row is delivered. */
function isSendersOwn({ channel, data }: PushRow): boolean {
  if (!channel.startsWith('user-')) return true;
  return channel === `user-${Sent.safeParse(jsonObject(data)).data?.from}`;
}
