import type { AllStreamResolvedEvent, ResolvedEvent } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { EventId, NewEvent, RecordedEvent, StreamName } from '../log.ts';
import { prepare } from '../prepared.ts';
import { objectOf } from '../stored-json.ts';
import { positionOf } from './position.ts';
import { rawOf } from './stored-bytes.ts';

type ProposedMessage = InstanceType<typeof streams.BatchAppendReq.ProposedMessage>;

/**
 * The server's limit on one append is 1,048,576 bytes, and counts metadata and types from 24.10 on.
 * Some room is left for its own counting.
 */
const maxBytesWithMetadata = 1_040_000;

/**
 * The key in an event's metadata under which stands which call of `append` stored it. The server
 * answers alike to an append that it stored and to one that stood before; this tells them apart.
 */
const markKey = '$append';

/**
 * Events as they go to the server: JSON with its content type, so that the server's own tools show
 * them, and each with the mark of the call.
 * @throws TypeError for what no log takes, and for more bytes than this server takes at once.
 */
export function proposalsOf(
  stream: StreamName,
  events: readonly NewEvent[],
  mark: string,
): ProposedMessage[] {
  const prepared = prepare(stream, events, { [markKey]: mark });
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
      `${bytes} bytes with metadata in one append to ${stream}, at most ${maxBytesWithMetadata} are taken`,
    );
  }
  return proposals;
}

/** The mark that the server sent with an event. */
export function markOf({ event }: ResolvedEvent | AllStreamResolvedEvent): string | undefined {
  const metadata: unknown = event?.metadata;
  if (typeof metadata !== 'object' || metadata === null || !(markKey in metadata)) return undefined;
  return typeof metadata[markKey] === 'string' ? metadata[markKey] : undefined;
}

/** The record that the server sent; `undefined` for its own streams and for links to what is gone. */
export function recordOf(resolved: ResolvedEvent | AllStreamResolvedEvent): RecordedEvent | undefined {
  const event = resolved.event;
  if (event === undefined || event.streamId.startsWith('$')) return undefined;
  const { [markKey]: _, ...metadata } = objectOf(event.metadata);
  const position = 'position' in event ? event.position : undefined;
  if (position === undefined) throw new Error(`the server told no position of ${event.streamId}`);
  return {
    id: event.id as EventId,
    stream: event.streamId as StreamName,
    type: event.type,
    data: objectOf(event.data),
    metadata,
    revision: Number(event.revision),
    position: positionOf(position),
    recorded: event.created.getTime(),
    raw: rawOf(event, markKey),
  };
}
