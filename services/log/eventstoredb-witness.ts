import { setTimeout as delay } from 'node:timers/promises';
import { FORWARDS } from '@eventstore/db-client';
import type { EventStoreDBConnection } from './eventstoredb-connection.ts';
import { markOf } from './eventstoredb-event.ts';
import { positionOf, storedPositionOf } from './eventstoredb-position.ts';
import { readPatiently } from './eventstoredb-reading.ts';
import { type Position, startOfLog } from './log.ts';

interface Question {
  readonly resolve: (mark: string | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** So many marks that subscriptions showed are kept. */
const mostSeen = 4_096;

/** A subscription that showed something so few milliseconds ago will soon show what was appended. */
const lively = 100;

/** So many milliseconds it is waited for before the log is read. */
const subscriptionPatience = 4;

/**
 * Tells which call of `append` stored the event at a position. Where a subscription of this process
 * is under way, it shows that for nothing; else the log is read, and what is asked meanwhile is
 * answered by the next read, so that many appends cost one.
 */
export class Witness {
  readonly #connection: EventStoreDBConnection;
  readonly #milliseconds: number;
  readonly #questions = new Map<Position, Question[]>();
  #reading = false;
  readonly #seen = new Map<Position, string | undefined>();
  #seenAt = Number.NEGATIVE_INFINITY;

  /** A read that gives nothing for so many milliseconds fails. */
  constructor(connection: EventStoreDBConnection, milliseconds: number) {
    this.#connection = connection;
    this.#milliseconds = milliseconds;
  }

  /** The mark of the event at a position; `undefined` where it has none. @throws LogFailure */
  markAt(position: Position): Promise<string | undefined> {
    if (this.#seen.has(position)) return Promise.resolve(this.#seen.get(position));
    return new Promise((resolve, reject) => {
      const others = this.#questions.get(position);
      if (others) others.push({ resolve, reject });
      else this.#questions.set(position, [{ resolve, reject }]);
      if (!this.#reading) void this.#readOn();
    });
  }

  /** A subscription showed the event at a position. */
  saw(position: Position, mark: string | undefined): void {
    this.#seenAt = performance.now();
    this.#seen.set(position, mark);
    for (const [oldest] of this.#seen) {
      if (this.#seen.size <= mostSeen) break;
      this.#seen.delete(oldest);
    }
    this.#settle(position, ({ resolve }) => resolve(mark));
  }

  #settle(position: Position, settle: (question: Question) => void): void {
    const questions = this.#questions.get(position);
    if (questions === undefined) return;
    this.#questions.delete(position);
    questions.forEach(settle);
  }

  async #readOn(): Promise<void> {
    this.#reading = true;
    if (performance.now() - this.#seenAt < lively) await delay(subscriptionPatience);
    while (this.#questions.size > 0) {
      const asked = [...this.#questions.keys()].sort();
      try {
        await this.#read(asked);
        for (const position of asked) this.#settle(position, ({ resolve }) => resolve(undefined));
      } catch (error) {
        for (const position of asked) this.#settle(position, ({ reject }) => reject(error));
      }
    }
    this.#reading = false;
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

function fromPosition(position: Position) {
  const stored = storedPositionOf(position);
  return stored === undefined ? {} : { fromPosition: stored };
}
