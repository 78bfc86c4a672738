import { FORWARDS } from '@eventstore/db-client';
import type { EventStoreDBConnection } from './eventstoredb-connection.ts';
import { markOf } from './eventstoredb-event.ts';
import { positionOf, storedPositionOf } from './eventstoredb-position.ts';
import { readPatiently } from './eventstoredb-reading.ts';
import type { Position } from './log.ts';

interface Question {
  readonly resolve: (mark: string | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Tells which call of `append` stored the event at a position. What is asked while a read is under
 * way is answered by the next one, so that many appends cost one read.
 */
export class Witness {
  readonly #connection: EventStoreDBConnection;
  readonly #milliseconds: number;
  #questions = new Map<Position, Question[]>();
  #reading = false;

  /** A read that gives nothing for so many milliseconds fails. */
  constructor(connection: EventStoreDBConnection, milliseconds: number) {
    this.#connection = connection;
    this.#milliseconds = milliseconds;
  }

  /** The mark of the event at a position; `undefined` where it has none. @throws LogFailure */
  markAt(position: Position): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const others = this.#questions.get(position);
      if (others) others.push({ resolve, reject });
      else this.#questions.set(position, [{ resolve, reject }]);
      if (!this.#reading) void this.#readOn();
    });
  }

  async #readOn(): Promise<void> {
    this.#reading = true;
    while (this.#questions.size > 0) {
      const questions = this.#questions;
      this.#questions = new Map();
      try {
        await this.#answer(questions);
        for (const { resolve } of [...questions.values()].flat()) resolve(undefined);
      } catch (error) {
        for (const { reject } of [...questions.values()].flat()) reject(error);
      }
    }
    this.#reading = false;
  }

  /** Answers what the stretch of the log between the first and the last position tells. */
  async #answer(questions: Map<Position, Question[]>): Promise<void> {
    let [from, last] = extremes(questions.keys());
    while (questions.size > 0) {
      const maxCount = questions.size + 16;
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
        for (const { resolve } of questions.get(from) ?? []) resolve(markOf(resolved));
        questions.delete(from);
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

function extremes(positions: Iterable<Position>): [first: Position, last: Position] {
  const sorted = [...positions].sort();
  const [first] = sorted;
  const last = sorted.at(-1);
  if (first === undefined || last === undefined) throw new RangeError('nothing is asked');
  return [first, last];
}
