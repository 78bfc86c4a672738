/** Larger batches write a row that changes often less often, but outlive the garbage collector's young generation. */
const batchEvents = 2_000;

/** How many rows the events of such a batch may read: some for each of them, of which many do not exist yet at first. */
export const maxBulkReads = 30_000;

/** Events in large batches, each read while the one before is being applied. */
export function inBulk<Event>(events: AsyncIterable<Event>): AsyncGenerator<readonly Event[]> {
  return ahead(inBatches(events));
}

async function* inBatches<Event>(events: AsyncIterable<Event>): AsyncGenerator<Event[]> {
  let batch: Event[] = [];
  for await (const event of events) {
    batch.push(event);
    if (batch.length < batchEvents) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Gets the next element while the one before is used. */
export async function* ahead<Element>(elements: AsyncGenerator<Element>): AsyncGenerator<Element> {
  let next = elements.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done) return;
      next = elements.next();
      // Its error shows when it is its turn.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    await elements.return(undefined).catch(() => undefined);
  }
}
