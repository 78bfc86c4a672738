/**
 * Iterates over the batches of a generator, which ends by its signal. Leaving the loop aborts that signal at once; the
 * generator's own `return` alone would wait until its pending `next` has a batch.
 * @param signals further signals that end it
 */
export function endingAtReturn<Batch>(
  signals: readonly AbortSignal[],
  follow: (signal: AbortSignal) => AsyncGenerator<Batch, void, undefined>,
): AsyncIterable<Batch> {
  return {
    [Symbol.asyncIterator]: () => {
      const returned = new AbortController();
      const batches = follow(AbortSignal.any([...signals, returned.signal]));
      return {
        next: () => batches.next(),
        return: () => {
          returned.abort();
          return batches.return();
        },
      };
    },
  };
}
