import { prepare } from '../append-request.ts';
import type { ExpectedRevision, NewEvent, StreamName } from '../log.ts';
import { originKey } from './event.ts';
import { MessageWriter } from './message-writer.ts';

/*
 * An append is a message `BatchAppendReq` of the server's streams.proto. The numbers are those of the fields there. The objects that
 * the client makes of its fields would take more processor time than all else that an append takes here.
 */

/**
 * The server's limit for one append is 1,048,576 bytes; from 24.10 on it counts metadata and types. The
 * difference is room for the server's own overhead.
 */
const maxBytesWithMetadata = 1_040_000;

/**
 * Events as they are sent to the server, in the fields `proposed_messages`: as JSON with that content type, so that the
 * server's own tools display them, and each with its origin.
 * @throws TypeError for an illegal name, id or size, and for more bytes than the server accepts in one append
 */
export function encodeProposals(stream: StreamName, events: readonly NewEvent[], origin: string): Uint8Array {
  const writer = new MessageWriter();
  let bytes = 0;
  for (const { id, type, data, metadata } of prepare(stream, events, { [originKey]: origin })) {
    bytes += Buffer.byteLength(data) + Buffer.byteLength(metadata) + type.length * 3;
    writer.message(3, (proposal) => {
      proposal.message(1, (name) => name.text(2, id));
      proposal.message(2, (property) => property.text(1, 'type').text(2, type));
      proposal.message(2, (property) => property.text(1, 'content-type').text(2, 'application/json'));
      proposal.text(3, metadata).text(4, data);
    });
  }
  if (bytes > maxBytesWithMetadata) {
    throw new TypeError(
      `${bytes} bytes with metadata in one append to ${stream}; the limit is ${maxBytesWithMetadata}`,
    );
  }
  return writer.bytes();
}

/** The last field: that the append is complete. */
const isFinal = new MessageWriter().number(4, 1).bytes();

/**
 * An append, in parts that follow each other.
 * @param id what the answer names
 * @param proposals see `encodeProposals`
 */
export function encodeAppend(
  id: string,
  stream: StreamName,
  expected: ExpectedRevision,
  proposals: Uint8Array,
): readonly Uint8Array[] {
  const head = new MessageWriter()
    .message(1, (correlation) => correlation.text(2, id))
    .message(2, (options) => {
      options.message(1, (name) => name.text(3, stream));
      if (expected === 'any') options.message(4);
      else if (expected === 'none') options.message(3);
      else options.number(2, expected);
    })
    .bytes();
  return [head, proposals, isFinal];
}
