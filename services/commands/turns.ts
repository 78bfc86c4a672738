import { Refusal } from '../../contracts/codes.ts';

/** Who has waited longer for their turn is refused, so that an outage of the log holds nobody up for long. */
const patienceMilliseconds = 5_000;

interface Waiting {
  /** By the monotonic clock. */
  readonly asked: number;
  readonly begin: () => void;
  readonly refuse: (refusal: Refusal) => void;
}

/** What waits under one name, by caller; whose turn it was last stands last. */
type Line = Map<string, Waiting[]>;

/** The caller who goes before all others: who holds the server's key ends what a person does. */
const first = 'server';

/**
 * Lets those who would get into each other's way act one after the other: the callers in turns, so that one
 * who asks a hundred times holds nobody else up for longer than one turn; each caller in the order of asking.
 */
export class Turns {
  /** A line for each name of which somebody has the turn. */
  readonly #lines = new Map<string, Line>();

  /**
   * Does `work` when it is the caller's turn under `name`.
   * @throws Refusal notReady where that took too long; what `work` throws
   */
  async take<Result>(name: string, caller: string, work: () => Promise<Result>): Promise<Result> {
    const line = this.#lines.get(name);
    if (line) await this.#wait(line, caller);
    else this.#lines.set(name, new Map());
    try {
      return await work();
    } finally {
      this.#next(name);
    }
  }

  #wait(line: Line, caller: string): Promise<void> {
    return new Promise((begin, refuse) => {
      const own = line.get(caller) ?? [];
      own.push({ asked: performance.now(), begin, refuse });
      line.set(caller, own);
    });
  }

  /** Gives the turn to the next one who has not waited for too long, or to whoever comes. */
  #next(name: string): void {
    const line = this.#lines.get(name);
    for (let next = line && takeNext(line); next; next = line && takeNext(line)) {
      if (performance.now() - next.asked <= patienceMilliseconds) {
        next.begin();
        return;
      }
      next.refuse(new Refusal('notReady'));
    }
    this.#lines.delete(name);
  }
}

function takeNext(line: Line): Waiting | undefined {
  const [caller = first] = line.has(first) ? [first] : line.keys();
  const own = line.get(caller);
  const next = own?.shift();
  line.delete(caller);
  if (own && own.length > 0) line.set(caller, own);
  return next;
}
