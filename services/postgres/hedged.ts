/** After how long a question is asked a second time, in milliseconds: no sound connection takes this long. */
const secondAfter = 1_500;

/**
 * Asks, and asks a second time if there is no answer in time; the first answer counts. For work that many
 * wait for together, so that one connection that hangs does not hold them all until its deadline: the
 * second question goes over another connection of the pool.
 * @param ask may run twice at once without harm
 * @throws what `ask` throws, where the other question fails too
 */
export function hedged<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let failed = false;
    let second = false;
    const fail = (error: unknown) => {
      if (second && !failed) {
        failed = true;
        return;
      }
      clearTimeout(timer);
      reject(error);
    };
    const answer = (value: Answer) => {
      clearTimeout(timer);
      resolve(value);
    };
    const timer = setTimeout(() => {
      second = true;
      ask().then(answer, fail);
    }, secondAfter);
    ask().then(answer, fail);
  });
}
