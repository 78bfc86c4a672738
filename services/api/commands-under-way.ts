import { Refusal } from '../../contracts/codes.ts';

/** So many commands of one person are carried out at once: one takes 10 ms, so these are hundreds a second. */
export const mostUnderWay = 8;

/** So many more may wait; each holds a request's memory. */
export const mostWaiting = 1_000;

interface Person {
  underWay: number;
  readonly waiting: (() => void)[];
}

/** Lets few commands of each person be under way, so that nobody fills what all wait for: the log, the pool. */
export class CommandsUnderWay {
  readonly #people = new Map<string, Person>();

  /**
   * Does the work once few enough of this person's are under way, in the order of asking.
   * @throws Refusal tooMany if too many wait; what the work throws
   */
  async take<Result>(uid: string, work: () => Promise<Result>): Promise<Result> {
    const person = this.#people.get(uid) ?? { underWay: 0, waiting: [] };
    this.#people.set(uid, person);
    if (person.underWay < mostUnderWay) person.underWay += 1;
    else if (person.waiting.length < mostWaiting) {
      await new Promise<void>((resolve) => person.waiting.push(resolve));
    } else throw new Refusal('tooMany');
    try {
      return await work();
    } finally {
      const next = person.waiting.shift();
      if (next) next();
      else person.underWay -= 1;
      if (person.underWay === 0) this.#people.delete(uid);
    }
  }
}
