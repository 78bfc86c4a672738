import type { Logger } from 'pino';
import { z } from 'zod';
import { afterAll } from '../../../contracts/push/position.ts';
import { jsonObject } from '../../../contracts/push/protocol.ts';
import type { PushRow } from '../../../contracts/push/row.ts';
import type { Cursor, PushRecord } from '../../pushes/record.ts';
import type { Rooms } from './rooms.ts';

/** The channel on which every message is heard. */
export const auditChannel = 'private-audit';

const pageSize = 500;
const pauseAfterFailure = 1_000;
const Sent = z.object({ from: z.coerce.string() });

/**
 * Every message once, for monitoring, live only (docs/realtime.md, "Channels"). It is read from the record, while somebody
 * listens, so that no gateway has to hear every channel on the bus.
 */
export class Audit {
  readonly #record: PushRecord;
  readonly #rooms: Rooms;
  readonly #logger: Logger;
  #at: Cursor | undefined;
  #reading = false;
  #again = false;

  constructor(options: { record: PushRecord; rooms: Rooms; logger: Logger }) {
    this.#record = options.record;
    this.#rooms = options.rooms;
    this.#logger = options.logger;
  }

  /** Somebody listens from this place on. */
  begin(place: string): void {
    this.#at ??= { place, number: afterAll };
    // What was committed since that place was looked up has woken nobody.
    this.wake();
  }

  /** There may be new messages. Returns at once. */
  wake(): void {
    if (this.#at === undefined) return;
    if (this.#rooms.subscriptionCount(auditChannel) === 0) {
      if (this.#rooms.subscriptions(auditChannel).length === 0) this.#at = undefined;
      return;
    }
    this.#again = true;
    if (!this.#reading) void this.#read();
  }

  async #read(): Promise<void> {
    this.#reading = true;
    try {
      while (this.#again && this.#at !== undefined) {
        this.#again = false;
        const { checkpoint, rows, more } = await this.#record.messagesAfter(this.#at, pageSize);
        const once = rows.filter(isSendersOwn);
        if (once.length > 0) this.#rooms.giveRowsTo(auditChannel, once, checkpoint.escapes);
        this.#at = (more ? rows.at(-1) : undefined) ?? { place: checkpoint.position, number: afterAll };
        this.#again ||= more;
      }
    } catch (error) {
      this.#logger.warn({ err: error }, 'the messages for the audit could not be read; trying again');
      setTimeout(() => this.wake(), pauseAfterFailure).unref();
    } finally {
      this.#reading = false;
    }
  }
}

/** A message between two stands on both their channels: the sender's copy is the one that counts. */
function isSendersOwn({ channel, data }: PushRow): boolean {
  if (!channel.startsWith('user-')) return true;
  return channel === `user-${Sent.safeParse(jsonObject(data)).data?.from}`;
}
