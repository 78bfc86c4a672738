import { categories } from '../../../contracts/events/index.ts';
import { appendInOrder, type OrderedAppend } from '../../log/append-in-order.ts';
import type { EventLog } from '../../log/log.ts';
import { metadataOfCopy } from '../../log/original-time.ts';
import type { CopiedEvent } from './copied-event.ts';
import type { CopyTarget } from './copy-log.ts';

/** A log as source or target of a copy. Nobody else may append to a target meanwhile. */
export function logCopy(log: EventLog): CopyTarget {
  return {
    events: () => log.readAll({ prefixes: categories }),
    add: (events, onStored) => appendInOrder(log, appendsOf(events), onStored),
  };
}

async function* appendsOf(events: AsyncIterable<CopiedEvent>): AsyncGenerator<OrderedAppend> {
  for await (const event of events) {
    const { stream, revision, id, type, data } = event;
    yield { stream, revision, events: [{ id, type, data, metadata: metadataOfCopy(event) }] };
  }
}
