/** When the second request starts: a working connection has answered by then. */
const secondAfterMs = 1_500;

/**
 * Calls `ask`, and calls it a second time if there is no answer after 1.5 s; the first answer is returned. It is used
 * when many callers wait for one query, so that a connection that hangs does not block them all until its timeout:
 * the second call gets another connection of the pool.
 * @param ask must be safe to run twice at once
 * @throws what `ask` throws, if the other call fails too
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
    }, secondAfterMs);
    ask().then(answer, fail);
  });
}
