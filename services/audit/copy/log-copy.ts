import { categories } from '../../../contracts/events/index.ts';
import { appendInOrder, type OrderedAppend } from '../../log/append-in-order.ts';
import type { EventLog, Position, RecordedEvent } from '../../log/log.ts';
import { metadataOfCopy } from '../../log/original-time.ts';
import type { CopiedEvent } from './copied-event.ts';
import type { CopyTarget } from './copy-log.ts';

/**
 * A log as source or target of a copy. Nobody else may append to a target meanwhile.
 * @param upTo the position of the last event that is copied; by default all are
 */
export function logCopy(log: EventLog, upTo?: Position): CopyTarget {
  const all = () => log.readAll({ prefixes: categories });
  return {
    events: () => (upTo === undefined ? all() : recordsUpTo(all(), upTo)),
    add: (events, onStored) => appendInOrder(log, appendsOf(events), onStored),
  };
}

async function* recordsUpTo(
  records: AsyncIterable<RecordedEvent>,
  upTo: Position,
): AsyncGenerator<RecordedEvent> {
  for await (const record of records) {
    if (record.position > upTo) return;
    yield record;
  }
}

async function* appendsOf(events: AsyncIterable<CopiedEvent>): AsyncGenerator<OrderedAppend> {
  for await (const event of events) {
    const { stream, revision, id, type, data } = event;
    yield { stream, revision, events: [{ id, type, data, metadata: metadataOfCopy(event) }] };
  }
}
