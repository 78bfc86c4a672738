import { readModelCategories } from '../../contracts/events/index.ts';
import type { EventLog, Position, RecordedEvent } from '../../services/log/log.ts';

/** Larger batches write a row that changes often less often; this many events take a few MB of memory. */
const batchEvents = 5_000;

/** The log after a position, in large batches, each read while the one before is being applied. */
export function bulkBatches(log: EventLog, after: Position): AsyncGenerator<readonly RecordedEvent[]> {
  return ahead(inBatches(log.readAll({ after, prefixes: readModelCategories })));
}

async function* inBatches(records: AsyncIterable<RecordedEvent>): AsyncGenerator<RecordedEvent[]> {
  let batch: RecordedEvent[] = [];
  for await (const record of records) {
    batch.push(record);
    if (batch.length < batchEvents) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Gets the next element while the one before is used. */
async function* ahead<Element>(elements: AsyncGenerator<Element>): AsyncGenerator<Element> {
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
