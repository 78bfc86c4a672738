interface Waiting<Question, Answer> extends PromiseWithResolvers<Answer> {
  readonly question: Question;
}

/**
 * Answers questions in batches: those asked while one batch is being answered form the next one. So a thousand
 * sockets that ask at once cause a few queries. A question is never answered by a query that began before it was asked.
 */
export class Batcher<Question, Answer> {
  readonly #answerAll: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  readonly #maxBatch: number;
  #waiting: Waiting<Question, Answer>[] = [];
  #answering = false;

  /** @param answerAll returns the answers to up to `maxBatch` questions, in their order */
  constructor(answerAll: (questions: readonly Question[]) => Promise<readonly Answer[]>, maxBatch = 500) {
    this.#answerAll = answerAll;
    this.#maxBatch = maxBatch;
  }

  /** Questions are answered in the order of the calls. @throws what `answerAll` throws */
  ask(question: Question): Promise<Answer> {
    const waiting = { ...Promise.withResolvers<Answer>(), question };
    this.#waiting.push(waiting);
    if (!this.#answering) void this.#answerBatches();
    return waiting.promise;
  }

  async #answerBatches(): Promise<void> {
    this.#answering = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#maxBatch);
      try {
        const answers = (await this.#answerAll(batch.map(({ question }) => question))).values();
        for (const { resolve, reject } of batch) {
          const answer = answers.next();
          if (answer.done) reject(new Error('a question was not answered'));
          else resolve(answer.value);
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#answering = false;
  }
}
