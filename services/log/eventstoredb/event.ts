import type { AllStreamResolvedEvent, ResolvedEvent } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { prepare } from '../append-request.ts';
import type { EventId, NewEvent, RecordedEvent, StreamName } from '../log.ts';
import { withOriginalTime } from '../original-time.ts';
import { objectOf } from '../stored-json.ts';
import { positionOf } from './position.ts';
import { rawOf } from './stored-bytes.ts';

type ProposedMessage = InstanceType<typeof streams.BatchAppendReq.ProposedMessage>;

/**
 * The server's limit for one append is 1,048,576 bytes; from 24.10 on it counts metadata and types. The
 * difference is room for the server's own overhead.
 */
const maxBytesWithMetadata = 1_040_000;

/**
 * The key in an event's metadata for its origin: the call of `append` that stored it. The server gives the same
 * answer whether it stored the events now or had them already; the origin distinguishes the two.
 */
const originKey = '$append';

/**
 * Events as they are sent to the server: as JSON with that content type, so that the server's own tools display
 * them, and each with its origin.
 * @throws TypeError for an illegal name, id or size, and for more bytes than the server accepts in one append
 */
export function proposalsOf(
  stream: StreamName,
  events: readonly NewEvent[],
  origin: string,
): ProposedMessage[] {
  const prepared = prepare(stream, events, { [originKey]: origin });
  let bytes = 0;
  const proposals = prepared.map((event) => {
    const data = Buffer.from(event.data);
    const metadata = Buffer.from(event.metadata);
    bytes += data.length + metadata.length + event.type.length * 3;
    const proposal = new streams.BatchAppendReq.ProposedMessage();
    const id = new shared.UUID();
    id.setString(event.id);
    proposal.setId(id);
    proposal.getMetadataMap().set('type', event.type).set('content-type', 'application/json');
    proposal.setData(data);
    proposal.setCustomMetadata(metadata);
    return proposal;
  });
  if (bytes > maxBytesWithMetadata) {
    throw new TypeError(
      `${bytes} bytes with metadata in one append to ${stream}; the limit is ${maxBytesWithMetadata}`,
    );
  }
  return proposals;
}

/**
 * The type of the event by which the store ends a stream for ever ("tombstone"). It is written into the stream itself,
 * under the greatest revision that there is, and says nothing of the log's own.
 */
export const tombstoneType = '$streamDeleted';

/** The origin in an event's metadata. */
export function originOf({ event }: ResolvedEvent | AllStreamResolvedEvent): string | undefined {
  const metadata: unknown = event?.metadata;
  if (typeof metadata !== 'object' || metadata === null || !(originKey in metadata)) return undefined;
  return typeof metadata[originKey] === 'string' ? metadata[originKey] : undefined;
}

/** The record of an event; `undefined` for the server's own streams and events, and for links to deleted events. */
export function recordOf(resolved: ResolvedEvent | AllStreamResolvedEvent): RecordedEvent | undefined {
  const event = resolved.event;
  if (event === undefined || event.streamId.startsWith('$') || event.type === tombstoneType) return undefined;
  const { [originKey]: _, ...metadata } = objectOf(event.metadata);
  const position = 'position' in event ? event.position : undefined;
  if (position === undefined) throw new Error(`the server returned no position for ${event.streamId}`);
  return withOriginalTime({
    id: event.id as EventId,
    stream: event.streamId as StreamName,
    type: event.type,
    data: objectOf(event.data),
    metadata,
    revision: Number(event.revision),
    position: positionOf(position),
    recorded: event.created.getTime(),
    raw: rawOf(event, originKey),
  });
}
