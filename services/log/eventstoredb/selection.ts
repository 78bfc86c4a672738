import type { Position, RecordedEvent, StreamName } from '../log.ts';
import { storedEventOf, tombstoneType } from './event.ts';
import type { Filter } from './read-request.ts';
import type { StoredMessage } from './read-response.ts';

/** Which events of the server a subscription is about, and what is made of each. */
export interface Selection<Item extends { readonly position: Position }> {
  /** By which the server selects. */
  readonly filter: Filter;
  /** Undefined for an event that is passed over. */
  itemOf(message: StoredMessage): Item | undefined;
}

/**
 * The events of the log in streams whose names begin with one of the prefixes, by default in all but the store's own.
 * @param onEvent is called with each, and the call of `append` that stored it
 */
export function recordsIn(
  prefixes: readonly string[] | undefined,
  onEvent: (record: RecordedEvent, origin: string | undefined) => void,
): Selection<RecordedEvent> {
  return {
    filter: { by: 'stream', names: prefixes === undefined ? { regex: '^[^$]' } : { prefixes } },
    itemOf(message) {
      const stored = storedEventOf(message);
      if (stored) onEvent(stored.record, stored.origin);
      return stored?.record;
    },
  };
}

/** That something was decided about a stream which may hide its events. */
export interface StreamNotice {
  readonly stream: StreamName;
  readonly position: Position;
  /** Whether it may hide events later that it does not hide now, as a number of events that the stream has not yet. */
  readonly lasting: boolean;
}

/** The type of events in a stream's metastream, `$$` and its name: they say from where on the stream is read. */
const metadataType = '$metadata';

/** What the store keeps of streams that were deleted, truncated or tombstoned. */
export const streamNotices: Selection<StreamNotice> = {
  filter: { by: 'type', names: { prefixes: [metadataType, tombstoneType] } },
  itemOf({ stream: notified, type, position, data }) {
    const isMetadata = type === metadataType;
    const stream = (isMetadata ? notified.slice(2) : notified) as StreamName;
    return { stream, position, lasting: isMetadata && limitsReads(data) };
  },
};

/** The keys of a stream's metadata from which the store reckons the first event that it gives. */
const limits = ['$maxCount', '$maxAge', '$tb'];

function limitsReads(metadata: Buffer): boolean {
  const text = metadata.toString();
  return limits.some((key) => text.includes(`"${key}"`));
}
