import { categories } from '../../../contracts/events/index.ts';
import { appendInOrder, type OrderedAppend } from '../../log/append-in-order.ts';
import type { EventLog, Position, RecordedEvent } from '../../log/log.ts';
import { metadataOfCopy } from '../../log/original-time.ts';
import type { UnreadEvents } from '../tree/unread-events.ts';
import type { CopiedEvent } from './copied-event.ts';
import type { CopyTarget } from './copy-log.ts';
import { FirstEvents } from './first-events.ts';

export interface LogCopyOptions {
  /** The position of the last event that is copied; by default all are. */
  readonly upTo?: Position;
  /** Through which the events go, to tell what of them is left out. */
  readonly firsts?: FirstEvents;
  /** Which looks at those that are copied. */
  readonly unread?: UnreadEvents;
}

/** A log as source or target of a copy, without what has an id again. Nobody else may append to a target meanwhile. */
export function logCopy(log: EventLog, { upTo, firsts, unread }: LogCopyOptions = {}): CopyTarget {
  const all = () => log.readAll({ prefixes: categories });
  const wanted = () => (upTo === undefined ? all() : recordsUpTo(all(), upTo));
  const read = () => (firsts ?? new FirstEvents(log)).of(wanted());
  return {
    events: () => (unread ? unread.of(read()) : read()),
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
