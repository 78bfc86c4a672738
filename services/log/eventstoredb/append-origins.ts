import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { type Position, type StreamName, startOfLog } from '../log.ts';
import type { EventStoreDBConnection } from './connection.ts';
import { originOf } from './event.ts';
import { storedPositionOf } from './position.ts';
import { logRequest } from './read-request.ts';
import { readWithTimeout } from './read-with-timeout.ts';

interface Question {
  readonly category: string;
  readonly askedAt: number;
  readonly resolve: (origin: string | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** The number of origins delivered by subscriptions that are kept. */
const maxDelivered = 4_096;

/** If a subscription delivered an event of this category within this time, it will soon deliver the one just appended. */
const liveWithinMs = 100;

/** How long a subscription is waited for before the log is read, which costs the server more. */
const deliveryTimeoutMs = 50;

/** How often questions that wait for a subscription are checked. */
const checkEveryMs = 4;

/**
 * Finds which call of `append` stored the event at a position. If a subscription of this process delivers such
 * events, it answers without a request. Otherwise the log is read, once for all that was asked during the read
 * before; Batcher does not fit, since a subscription may answer while a read is being waited for.
 */
export class AppendOrigins {
  readonly #connection: EventStoreDBConnection;
  readonly #readTimeoutMs: number;
  readonly #questions = new Map<Position, Question[]>();
  #answering = false;
  readonly #delivered = new Map<Position, string | undefined>();
  /** When a subscription last delivered an event, by category. */
  readonly #deliveredAt = new LRUCache<string, number>({ max: 1_000 });

  /** @param readTimeoutMs after how long a read that returns nothing fails */
  constructor(connection: EventStoreDBConnection, readTimeoutMs: number) {
    this.#connection = connection;
    this.#readTimeoutMs = readTimeoutMs;
  }

  /** The origin of the event of a stream at a position; `undefined` if it has none. @throws LogFailure */
  originAt(stream: StreamName, position: Position): Promise<string | undefined> {
    if (this.#delivered.has(position)) return Promise.resolve(this.#delivered.get(position));
    return new Promise((resolve, reject) => {
      const question = { category: categoryOf(stream), askedAt: performance.now(), resolve, reject };
      const others = this.#questions.get(position);
      if (others) others.push(question);
      else this.#questions.set(position, [question]);
      if (!this.#answering) void this.#answerAll();
    });
  }

  /** To be called with each event that a subscription delivers. */
  delivered(stream: StreamName, position: Position, origin: string | undefined): void {
    this.#deliveredAt.set(categoryOf(stream), performance.now());
    this.#delivered.set(position, origin);
    for (const [oldest] of this.#delivered) {
      if (this.#delivered.size <= maxDelivered) break;
      this.#delivered.delete(oldest);
    }
    this.#settle(position, ({ resolve }) => resolve(origin));
  }

  /** The log has changed: its positions are those of other events. */
  reset(): void {
    this.#delivered.clear();
  }

  #settle(position: Position, settle: (question: Question) => void): void {
    const questions = this.#questions.get(position);
    if (questions === undefined) return;
    this.#questions.delete(position);
    questions.forEach(settle);
  }

  async #answerAll(): Promise<void> {
    this.#answering = true;
    while (this.#questions.size > 0) {
      const positions = this.#toRead();
      if (positions.length === 0) {
        await delay(checkEveryMs);
        continue;
      }
      try {
        await this.#read(positions);
        for (const position of positions) this.#settle(position, ({ resolve }) => resolve(undefined));
      } catch (error) {
        for (const position of positions) this.#settle(position, ({ reject }) => reject(error));
      }
    }
    this.#answering = false;
  }

  /** The positions, in order, whose events no subscription is about to deliver. */
  #toRead(): Position[] {
    const now = performance.now();
    const deliveredSoon = ({ category, askedAt }: Question) =>
      now - askedAt < deliveryTimeoutMs &&
      now - (this.#deliveredAt.get(category) ?? Number.NEGATIVE_INFINITY) < liveWithinMs;
    return [...this.#questions]
      .filter(([, questions]) => !questions.every(deliveredSoon))
      .map(([position]) => position)
      .sort();
  }

  /** Reads the log from the first to the last of the positions, and answers every question about an event there. */
  async #read(positions: readonly Position[]): Promise<void> {
    const last = positions.at(-1) ?? startOfLog;
    let from = positions[0] ?? startOfLog;
    for (;;) {
      const maxCount = positions.length + 16;
      const request = logRequest('forwards', maxCount, storedPositionOf(from));
      let count = 0;
      for await (const message of readWithTimeout(this.#connection, request, this.#readTimeoutMs)) {
        count++;
        from = message.position;
        this.#settle(from, ({ resolve }) => resolve(originOf(message)));
        if (from >= last) return;
      }
      if (count < maxCount) return;
    }
  }
}

function categoryOf(stream: StreamName): string {
  const end = stream.indexOf('-');
  return end < 0 ? stream : stream.slice(0, end);
}
