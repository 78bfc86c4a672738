import type { AllStreamResolvedEvent, ResolvedEvent } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { positionOf } from './eventstoredb-position.ts';
import {
  type EventId,
  type Json,
  maxAppendBytes,
  type NewEvent,
  type RecordedEvent,
  type StreamName,
} from './log.ts';

type ProposedMessage = InstanceType<typeof streams.BatchAppendReq.ProposedMessage>;

/**
 * The server's limit on one append is 1,048,576 bytes, and counts metadata and types from 24.10 on.
 * Some room is left for its own counting.
 */
const maxBytesWithMetadata = 1_040_000;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** @throws TypeError for a name that the log does not take. */
export function assertStreamName(name: StreamName): void {
  if (
    name === '' ||
    name.length > 200 ||
    name.startsWith('$') ||
    name.includes('\0') ||
    !name.isWellFormed()
  ) {
    throw new TypeError(`not a stream's name: ${JSON.stringify(name)}`);
  }
}

/**
 * The key in an event's metadata under which stands which call of `append` stored it. The server
 * answers alike to an append that it stored and to one that stood before; this tells them apart.
 */
const markKey = '$append';

/**
 * Events as they go to the server: JSON with its content type, so that the server's own tools show
 * them, and each with the mark of the call.
 * @throws TypeError for an id or a size that the log does not take.
 */
export function proposalsOf(events: readonly NewEvent[], mark: string): ProposedMessage[] {
  let dataBytes = 0;
  let allBytes = 0;
  const ids = new Set<string>();
  const proposals = events.map((event) => {
    if (!uuid.test(event.id)) throw new TypeError(`not a UUID: ${JSON.stringify(event.id)}`);
    if (event.type === '') throw new TypeError('an event needs a type');
    ids.add(event.id);
    const data = Buffer.from(JSON.stringify(event.data));
    const metadata = Buffer.from(JSON.stringify({ ...event.metadata, [markKey]: mark }));
    dataBytes += data.length;
    allBytes += data.length + metadata.length + event.type.length * 3;
    const proposal = new streams.BatchAppendReq.ProposedMessage();
    const id = new shared.UUID();
    id.setString(event.id);
    proposal.setId(id);
    proposal.getMetadataMap().set('type', event.type).set('content-type', 'application/json');
    proposal.setData(data);
    proposal.setCustomMetadata(metadata);
    return proposal;
  });
  if (ids.size !== events.length) throw new TypeError('an id stands twice in one append');
  if (dataBytes > maxAppendBytes || allBytes > maxBytesWithMetadata) {
    throw new TypeError(`an append takes at most ${maxAppendBytes} bytes of data, this one has ${dataBytes}`);
  }
  return proposals;
}

/** What was written by others need not be a JSON object: it is shown as one all the same. */
function jsonOf(value: unknown): Json {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  return value === undefined ? {} : { value };
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
  const { [markKey]: _, ...metadata } = jsonOf(event.metadata);
  const position = 'position' in event ? event.position : undefined;
  if (position === undefined) throw new Error(`the server told no position of ${event.streamId}`);
  return {
    id: event.id as EventId,
    stream: event.streamId as StreamName,
    type: event.type,
    data: jsonOf(event.data),
    metadata,
    revision: Number(event.revision),
    position: positionOf(position),
    recorded: event.created.getTime(),
  };
}
