import { setTimeout as delay } from 'node:timers/promises';
import { FORWARDS } from '@eventstore/db-client';
import { LRUCache } from 'lru-cache';
import { type Position, type StreamName, startOfLog } from '../log.ts';
import type { EventStoreDBConnection } from './connection.ts';
import { markOf } from './event.ts';
import { positionOf, storedPositionOf } from './position.ts';
import { readPatiently } from './reading.ts';

interface Question {
  readonly category: string;
  /** When it was asked. */
  readonly at: number;
  readonly resolve: (mark: string | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** So many marks that subscriptions showed are kept. */
const mostSeen = 4_096;

/** A subscription that showed something of a category so few milliseconds ago will soon show what came to it. */
const lively = 100;

/** So many milliseconds it is waited for at most before the log is read, which costs the server more. */
const subscriptionPatience = 50;

/** How often it is looked whether there is still something to wait for, in milliseconds. */
const lookEvery = 4;

/**
 * Tells which call of `append` stored the event at a position. Where a subscription of this process
 * shows such events, it tells that for nothing; else the log is read, and what is asked meanwhile is
 * answered by the next read, so that many appends cost one.
 */
export class Witness {
  readonly #connection: EventStoreDBConnection;
  readonly #milliseconds: number;
  readonly #questions = new Map<Position, Question[]>();
  #looking = false;
  readonly #seen = new Map<Position, string | undefined>();
  /** When a subscription last showed something of a category. */
  readonly #seenAt = new LRUCache<string, number>({ max: 1_000 });

  /** A read that gives nothing for so many milliseconds fails. */
  constructor(connection: EventStoreDBConnection, milliseconds: number) {
    this.#connection = connection;
    this.#milliseconds = milliseconds;
  }

  /** The mark of the event at a position, of a stream; `undefined` where it has none. @throws LogFailure */
  markAt(stream: StreamName, position: Position): Promise<string | undefined> {
    if (this.#seen.has(position)) return Promise.resolve(this.#seen.get(position));
    return new Promise((resolve, reject) => {
      const question = { category: categoryOf(stream), at: performance.now(), resolve, reject };
      const others = this.#questions.get(position);
      if (others) others.push(question);
      else this.#questions.set(position, [question]);
      if (!this.#looking) void this.#lookOn();
    });
  }

  /** A subscription showed the event at a position. */
  saw(stream: StreamName, position: Position, mark: string | undefined): void {
    this.#seenAt.set(categoryOf(stream), performance.now());
    this.#seen.set(position, mark);
    for (const [oldest] of this.#seen) {
      if (this.#seen.size <= mostSeen) break;
      this.#seen.delete(oldest);
    }
    this.#settle(position, ({ resolve }) => resolve(mark));
  }

  /** The log is another one: its positions say nothing of what was seen. */
  forget(): void {
    this.#seen.clear();
  }

  #settle(position: Position, settle: (question: Question) => void): void {
    const questions = this.#questions.get(position);
    if (questions === undefined) return;
    this.#questions.delete(position);
    questions.forEach(settle);
  }

  async #lookOn(): Promise<void> {
    this.#looking = true;
    while (this.#questions.size > 0) {
      const asked = this.#toRead();
      if (asked.length === 0) {
        await delay(lookEvery);
        continue;
      }
      try {
        await this.#read(asked);
        for (const position of asked) this.#settle(position, ({ resolve }) => resolve(undefined));
      } catch (error) {
        for (const position of asked) this.#settle(position, ({ reject }) => reject(error));
      }
    }
    this.#looking = false;
  }

  /** The positions, in order, of which no subscription will tell soon. */
  #toRead(): Position[] {
    const now = performance.now();
    const soon = ({ category, at }: Question) =>
      now - at < subscriptionPatience &&
      now - (this.#seenAt.get(category) ?? Number.NEGATIVE_INFINITY) < lively;
    return [...this.#questions]
      .filter(([, questions]) => !questions.every(soon))
      .map(([position]) => position)
      .sort();
  }

  /** Answers what the stretch of the log between the first and the last of the positions tells. */
  async #read(asked: readonly Position[]): Promise<void> {
    const last = asked.at(-1) ?? startOfLog;
    let from = asked[0] ?? startOfLog;
    for (;;) {
      const maxCount = asked.length + 16;
      const read = this.#connection.readAll({
        direction: FORWARDS,
        maxCount,
        requiresLeader: true,
        ...fromPosition(from),
      });
      let given = 0;
      for await (const resolved of readPatiently(read, this.#milliseconds)) {
        given++;
        if (!resolved.event?.position) continue;
        from = positionOf(resolved.event.position);
        this.#settle(from, ({ resolve }) => resolve(markOf(resolved)));
        if (from >= last) return;
      }
      if (given < maxCount) return;
    }
  }
}

function categoryOf(stream: StreamName): string {
  const end = stream.indexOf('-');
  return end < 0 ? stream : stream.slice(0, end);
}

function fromPosition(position: Position) {
  const stored = storedPositionOf(position);
  return stored === undefined ? {} : { fromPosition: stored };
}
