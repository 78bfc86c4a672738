import { EventMetadata, lift } from '../../contracts/events/event.ts';
import {
  type DomainEvent,
  definitionOf,
  type EventData,
  type EventType,
} from '../../contracts/events/index.ts';
import { safeParse } from './exact-form.ts';
import type { EventId, NewEvent, RecordedEvent } from './log.ts';
import { isTypeOfStore } from './type-of-store.ts';

/** A domain event with its position in the log and its metadata. */
export type Decoded<Event extends DomainEvent = DomainEvent> = Event & {
  readonly id: EventId;
  readonly stream: RecordedEvent['stream'];
  readonly revision: number;
  readonly position: RecordedEvent['position'];
  readonly metadata: EventMetadata;
};

/** What identifies an event, without its data. */
export type EventReference = Pick<RecordedEvent, 'id' | 'type' | 'stream' | 'revision' | 'position'>;

/**
 * An event that this program cannot read. Commands and projections stop before it, unless an operator has
 * decided to skip it (services/log/skips.ts).
 */
export class UnreadableEvent extends Error {
  override readonly name = 'UnreadableEvent';
  /** `newer`: written by a newer program than this one. `broken`: no program can read it. */
  readonly kind: 'newer' | 'broken';
  readonly event: EventReference;

  constructor(kind: 'newer' | 'broken', record: RecordedEvent, why: string, options?: ErrorOptions) {
    const { id, type, stream, revision, position } = record;
    super(`event ${type} at ${stream}@${revision} cannot be read: ${why}`, options);
    this.kind = kind;
    this.event = { id, type, stream, revision, position };
  }
}

/** Serialises a domain event for the log. `metadata` lacks only the schema's version. */
export function encode<Type extends EventType>(
  id: EventId,
  event: { readonly type: Type; readonly data: EventData[Type] },
  metadata: Omit<EventMetadata, 'version'>,
): NewEvent {
  const version = definitionOf(event.type)?.version ?? 1;
  return { id, type: event.type, data: event.data, metadata: { ...metadata, version } };
}

/** Results by record, since projector and aggregate store of one process get the same record. */
const cache = new WeakMap<RecordedEvent, Decoded | UnreadableEvent>();

/**
 * Reads a record: upcasts older versions, and checks data and metadata against their schemas.
 * @throws UnreadableEvent naming stream and revision.
 */
export function decode(record: RecordedEvent): Decoded {
  const event = tryDecode(record);
  if (event instanceof UnreadableEvent) throw event;
  return event;
}

/** As `decode`, but returns the error instead of throwing it. */
export function tryDecode(record: RecordedEvent): Decoded | UnreadableEvent {
  const known = cache.get(record);
  if (known) return known;
  const event = decodeUncached(record);
  cache.set(record, event);
  return event;
}

/**
 * As `tryDecode`, without remembering the result: for who reads millions of records once, for whom the memory costs
 * more than it saves.
 */
export function decodeUncached(record: RecordedEvent): Decoded | UnreadableEvent {
  const definition = definitionOf(record.type);
  if (isTypeOfStore(record.type)) {
    return new UnreadableEvent(
      'broken',
      record,
      'its type is one of the store and of no version of this program',
    );
  }
  if (!definition) return new UnreadableEvent('newer', record, 'its type is unknown');
  const metadata = safeParse(EventMetadata, record.metadata);
  if (!metadata.success) {
    return new UnreadableEvent('broken', record, 'its metadata are broken', { cause: metadata.error });
  }
  const { version } = metadata.data;
  if (version > definition.version) {
    return new UnreadableEvent('newer', record, `its version ${version} is newer than ${definition.version}`);
  }
  const parsed = safeParse(definition.data, lift(definition, version, record.data));
  if (!parsed.success) {
    return new UnreadableEvent('broken', record, 'its data are broken', { cause: parsed.error });
  }
  // The definition's schema has just checked that the data belong to the type.
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
