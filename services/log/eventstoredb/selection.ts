import {
  type AllStreamResolvedEvent,
  eventTypeFilter,
  type Filter,
  streamNameFilter,
} from '@eventstore/db-client';
import type { Position, RecordedEvent, StreamName } from '../log.ts';
import { originOf, recordOf, tombstoneType } from './event.ts';
import { positionOf } from './position.ts';

/** When the server reports how far it has searched. */
type Checkpoints = Pick<
  Parameters<typeof streamNameFilter>[0],
  'checkpointInterval' | 'checkpointReached' | 'maxSearchWindow'
>;

/** Which events of the server a subscription is about, and what is made of each. */
export interface Selection<Item extends { readonly position: Position }> {
  /** By which the server selects. */
  filter(checkpoints: Checkpoints): Filter;
  /** Undefined for an event that is passed over. */
  itemOf(resolved: AllStreamResolvedEvent): Item | undefined;
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
    filter: (checkpoints) =>
      prefixes === undefined
        ? streamNameFilter({ regex: '^[^$]', ...checkpoints })
        : streamNameFilter({ prefixes: [...prefixes], ...checkpoints }),
    itemOf(resolved) {
      const record = recordOf(resolved);
      if (record) onEvent(record, originOf(resolved));
      return record;
    },
  };
}

/** That something was decided about a stream which may hide its events. */
export interface StreamNotice {
  readonly stream: StreamName;
  readonly position: Position;
}

/** The type of events in a stream's metastream, `$$` and its name: they say from where on the stream is read. */
const metadataType = '$metadata';

/** What the store keeps of streams that were deleted, truncated or tombstoned. */
export const streamNotices: Selection<StreamNotice> = {
  filter: (checkpoints) => eventTypeFilter({ prefixes: [metadataType, tombstoneType], ...checkpoints }),
  itemOf({ event }) {
    if (event === undefined) return undefined;
    const { streamId, type } = event;
    const stream = (type === metadataType ? streamId.slice(2) : streamId) as StreamName;
    return { stream, position: positionOf(event.position) };
  },
};
