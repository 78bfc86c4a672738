import { EventMetadata, lift } from '../../contracts/events/event.ts';
import { type DomainEvent, definitionOf } from '../../contracts/events/index.ts';
import type { EventId, NewEvent, RecordedEvent } from './log.ts';

/** A domain event as it was recorded, with what the log and the writer say of it. */
export type Decoded<Event extends DomainEvent = DomainEvent> = Event & {
  readonly id: EventId;
  readonly stream: RecordedEvent['stream'];
  readonly revision: number;
  readonly position: RecordedEvent['position'];
  readonly metadata: EventMetadata;
};

/** An event that this program cannot read. Whoever folds or projects stops there and skips nothing. */
export class UnreadableEvent extends Error {
  override readonly name = 'UnreadableEvent';

  constructor(record: RecordedEvent, why: string, options?: ErrorOptions) {
    super(`event ${record.type} at ${record.stream}@${record.revision} cannot be read: ${why}`, options);
  }
}

/** Makes of a domain event what the log takes. `metadata` lacks only the schema's version. */
export function encode(id: EventId, event: DomainEvent, metadata: Omit<EventMetadata, 'version'>): NewEvent {
  const version = definitionOf(event.type)?.version ?? 1;
  return { id, type: event.type, data: event.data, metadata: { ...metadata, version } };
}

/** What was decoded already: projector and command state of one process see the same record. */
const decoded = new WeakMap<RecordedEvent, Decoded>();

/**
 * Reads a record: lifts older versions, checks data and metadata against their schemas.
 * @throws UnreadableEvent naming stream and revision.
 */
export function decode(record: RecordedEvent): Decoded {
  const known = decoded.get(record);
  if (known) return known;
  const event = read(record);
  decoded.set(record, event);
  return event;
}

function read(record: RecordedEvent): Decoded {
  const definition = definitionOf(record.type);
  if (!definition) throw new UnreadableEvent(record, 'its type is unknown');
  const metadata = EventMetadata.safeParse(record.metadata);
  if (!metadata.success)
    throw new UnreadableEvent(record, 'its metadata are broken', { cause: metadata.error });
  const { version } = metadata.data;
  if (version > definition.version) {
    throw new UnreadableEvent(record, `its version ${version} is newer than ${definition.version}`);
  }
  const parsed = definition.data.safeParse(lift(definition, version, record.data));
  if (!parsed.success) throw new UnreadableEvent(record, 'its data are broken', { cause: parsed.error });
  // The definition's schema has just checked that data belong to the type.
  return {
    type: record.type,
    data: parsed.data,
    id: record.id,
    stream: record.stream,
    revision: record.revision,
    position: record.position,
    metadata: metadata.data,
  } as Decoded;
}
