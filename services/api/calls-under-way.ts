import { setTimeout as delay } from 'node:timers/promises';
import { Refusal } from '../../contracts/codes.ts';

/** How many calls of one person are carried out at once, and how many more may wait. */
export interface CallBounds {
  readonly underWay: number;
  readonly waiting: number;
  /** After a call its place stays empty for as long as the call took, but at most for so many milliseconds. */
  readonly restMs: number;
}

/** A command takes 10 ms, most of which is waiting for the log, so these are hundreds a second. */
export const commandBounds: CallBounds = { underWay: 8, waiting: 1_000, restMs: 0 };

/**
 * A query takes the time of the only thread and several connections of the pool at once: the calls of others
 * wait behind what is under way, but not behind what waits here. The rest leaves half of the time to others.
 */
export const queryBounds: CallBounds = { underWay: 2, waiting: 1_000, restMs: 100 };

interface Person {
  underWay: number;
  readonly waiting: (() => void)[];
}

/** Lets few calls of each person be under way, so that nobody fills what all wait for: the thread, the log, the pool. */
export class CallsUnderWay {
  readonly #bounds: CallBounds;
  readonly #people = new Map<string, Person>();

  constructor(bounds: CallBounds) {
    this.#bounds = bounds;
  }

  /**
   * Does the work once few enough of this person's are under way, in the order of asking.
   * @throws Refusal tooMany if too many wait; what the work throws
   */
  async take<Result>(uid: string, work: () => Promise<Result>): Promise<Result> {
    const person = this.#people.get(uid) ?? { underWay: 0, waiting: [] };
    this.#people.set(uid, person);
    if (person.underWay < this.#bounds.underWay) person.underWay += 1;
    else if (person.waiting.length < this.#bounds.waiting) {
      await new Promise<void>((resolve) => person.waiting.push(resolve));
    } else throw new Refusal('tooMany');
    const begun = performance.now();
    try {
      return await work();
    } finally {
      const rest = Math.min(performance.now() - begun, this.#bounds.restMs);
      if (rest < 1) this.#leave(uid, person);
      else void delay(rest, undefined, { ref: false }).then(() => this.#leave(uid, person));
    }
  }

  /** Gives a place to the one who waits first, if anyone does. */
  #leave(uid: string, person: Person): void {
    const next = person.waiting.shift();
    if (next) next();
    else person.underWay -= 1;
    if (person.underWay === 0) this.#people.delete(uid);
  }
}
