interface Waiting<Question, Answer> extends PromiseWithResolvers<Answer> {
  readonly question: Question;
}

/**
 * Gathers questions to the database: what is asked while one query is under way goes together in the next,
 * so that a thousand sockets at once are a few queries. Nobody is answered by a query that was sent before
 * they asked.
 */
export class Gathering<Question, Answer> {
  readonly #answerAll: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  readonly #mostAtOnce: number;
  #waiting: Waiting<Question, Answer>[] = [];
  #asking = false;

  /** @param answerAll answers each question, in their order; at most `mostAtOnce` at a time. */
  constructor(answerAll: (questions: readonly Question[]) => Promise<readonly Answer[]>, mostAtOnce = 500) {
    this.#answerAll = answerAll;
    this.#mostAtOnce = mostAtOnce;
  }

  /** Answers are given in the order of the questions. @throws what answering throws. */
  ask(question: Question): Promise<Answer> {
    const waiting = { ...Promise.withResolvers<Answer>(), question };
    this.#waiting.push(waiting);
    if (!this.#asking) void this.#askAll();
    return waiting.promise;
  }

  async #askAll(): Promise<void> {
    this.#asking = true;
    while (this.#waiting.length > 0) {
      const asked = this.#waiting.splice(0, this.#mostAtOnce);
      try {
        const answers = (await this.#answerAll(asked.map(({ question }) => question))).values();
        for (const { resolve, reject } of asked) {
          const answer = answers.next();
          if (answer.done) reject(new Error('a question was left without an answer'));
          else resolve(answer.value);
        }
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
    this.#asking = false;
  }
}
