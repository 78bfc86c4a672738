import protobuf from 'protobufjs/minimal.js';
import type { Position } from '../log.ts';
import { endOf, readPosition, readUint64, readUuid } from './read-fields.ts';

/** The server's answer to one attempt to append. */
export type AppendResponse =
  /** The stream contains all the ids, stored now or earlier; revision and position are those of the last event. */
  | { readonly stored: true; readonly revision: number; readonly position: Position }
  | { readonly stored: false; readonly actual: number | 'none' };

/**
 * An attempt without a usable answer.
 * - `unsent`: nothing was stored.
 * - `doubtful`: the events may have been stored.
 * - `refused`: the server will never store them.
 */
export class AttemptFailure extends Error {
  override readonly name = 'AttemptFailure';
  readonly kind: 'unsent' | 'doubtful' | 'refused';

  constructor(kind: 'unsent' | 'doubtful' | 'refused', message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** A message `BatchAppendResp` of the server's streams.proto. */
export interface AppendAnswer {
  /** Of the attempt that it answers. */
  readonly attempt: string;
  readonly success: Success | undefined;
  readonly error: ServerError | undefined;
}

interface Success {
  readonly revision: number;
  readonly position: Position | undefined;
}

interface ServerError {
  readonly code: number;
  readonly message: string;
  /** The type of the details, and the details themselves. */
  readonly kind: string;
  readonly details: Uint8Array;
}

/** @throws RangeError if the message is cut off */
export function decodeAppendAnswer(bytes: Uint8Array): AppendAnswer {
  const reader = protobuf.Reader.create(bytes);
  let attempt = '';
  let success: Success | undefined;
  let error: ServerError | undefined;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) attempt = readUuid(reader);
    else if (tag >>> 3 === 2) error = readError(reader);
    else if (tag >>> 3 === 3) success = readSuccess(reader);
    else reader.skipType(tag & 7);
  }
  return { attempt, success, error };
}

function readSuccess(reader: protobuf.Reader): Success {
  let revision = 0;
  let position: Position | undefined;
  const end = endOf(reader);
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) revision = Number(readUint64(reader));
    else if (tag >>> 3 === 3) position = readPosition(reader);
    else reader.skipType(tag & 7);
  }
  return { revision, position };
}

/** A message `Status`, whose details are one message `Any`. */
function readError(reader: protobuf.Reader): ServerError {
  let code = 0;
  let message = '';
  let kind = '';
  let details: Uint8Array = new Uint8Array();
  const end = endOf(reader);
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) code = reader.int32();
    else if (tag >>> 3 === 2) message = reader.string();
    else if (tag >>> 3 === 3) {
      const endOfDetails = endOf(reader);
      while (reader.pos < endOfDetails) {
        const inner = reader.uint32();
        if (inner >>> 3 === 1) kind = reader.string();
        else if (inner >>> 3 === 2) details = reader.bytes();
        else reader.skipType(inner & 7);
      }
    } else reader.skipType(tag & 7);
  }
  return { code, message, kind: kind.slice(kind.lastIndexOf('/') + 1), details };
}

/** The present revision in a message `WrongExpectedVersion`; `none` if there is no such stream. */
function readActual(details: Uint8Array): number | 'none' {
  const reader = protobuf.Reader.create(details);
  let actual: number | 'none' = 'none';
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) actual = Number(readUint64(reader));
    else reader.skipType(tag & 7);
  }
  return actual;
}

/** @throws AttemptFailure if the server could or would not append */
export function responseOf({ success, error }: AppendAnswer): AppendResponse {
  if (success) {
    const { revision, position } = success;
    if (!position) throw new AttemptFailure('doubtful', 'the server returned no position');
    return { stored: true, revision, position };
  }
  const { code, message, kind, details } = error ?? {
    code: 0,
    message: '',
    kind: '',
    details: new Uint8Array(),
  };
  switch (kind) {
    case 'event_store.client.WrongExpectedVersion':
      return { stored: false, actual: readActual(details) };
    // Code 0 means that the server was not ready, too busy, or not the leader and knew none: nothing was stored.
    case 'google.protobuf.Empty':
      throw new AttemptFailure(code === 0 ? 'unsent' : 'doubtful', message);
    case 'event_store.client.AccessDenied':
    case 'event_store.client.MaximumAppendSizeExceeded':
    case 'event_store.client.StreamDeleted':
    case 'event_store.client.BadRequest':
      throw new AttemptFailure('refused', `${kind.slice('event_store.client.'.length)} ${message}`.trim());
    default:
      throw new AttemptFailure('doubtful', `${kind.slice(kind.lastIndexOf('.') + 1)} ${message}`.trim());
  }
}
