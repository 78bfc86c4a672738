import protobuf from 'protobufjs/minimal.js';
import type { Position } from '../log.ts';
import { positionOf } from './position.ts';
import { endOf, readPosition, readUint64 } from './read-fields.ts';

/** An event as the server sends it. */
export interface StoredMessage {
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
  readonly type: string;
  /** Whether its writer says that the data are JSON. */
  readonly isJson: boolean;
  /** When the server stored it, in milliseconds since 1970. */
  readonly recorded: number;
  readonly data: Buffer;
  readonly metadata: Buffer;
}

/** What the server sends to who reads or follows. */
export type ReadResponse =
  | { readonly kind: 'event'; readonly event: StoredMessage }
  /** A subscription has searched the log up to here. */
  | { readonly kind: 'searched'; readonly position: Position }
  /** A subscription has reached the end of the log. */
  | { readonly kind: 'caught up' }
  /** Nothing that is used here, or that there is no such stream. */
  | { readonly kind: 'nothing' };

const caughtUp: ReadResponse = { kind: 'caught up' };
const nothing: ReadResponse = { kind: 'nothing' };
const noBytes = Buffer.alloc(0);

/** Ticks of 100 ns, in which the server gives times, are milliseconds without the last four digits. */
const digitsBelowMs = 4;

/**
 * Decodes a message `ReadResp` of the server's streams.proto. The client's own decoder drops the bytes of an event, which are
 * needed here, and makes several objects of each: with it, reading the log takes twice the processor time.
 * @throws RangeError if the message is cut off
 */
export function decodeReadResponse(bytes: Buffer): ReadResponse {
  const reader = protobuf.Reader.create(bytes);
  let response = nothing;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case 1: {
        const event = readEvent(reader);
        if (event !== undefined) response = { kind: 'event', event };
        break;
      }
      case 3:
        response = { kind: 'searched', position: readPosition(reader) };
        break;
      case 8:
        reader.skipType(tag & 7);
        response = caughtUp;
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  return response;
}

/** `ReadEvent`; links are not resolved, so that its event is the one that was stored. */
function readEvent(reader: protobuf.Reader): StoredMessage | undefined {
  let event: StoredMessage | undefined;
  const end = endOf(reader);
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) event = readRecordedEvent(reader);
    else reader.skipType(tag & 7);
  }
  return event;
}

function readRecordedEvent(reader: protobuf.Reader): StoredMessage {
  let id = '';
  let stream = '';
  let revision = 0;
  let prepare = '0';
  let commit = '0';
  let data: Buffer = noBytes;
  let metadata: Buffer = noBytes;
  const properties: Properties = { type: '', isJson: false, recorded: 0 };
  const end = endOf(reader);
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag >>> 3) {
      case 1:
        id = readText(reader, 2);
        break;
      case 2:
        stream = readText(reader, 3);
        break;
      case 3:
        revision = Number(readUint64(reader));
        break;
      case 4:
        prepare = readUint64(reader);
        break;
      case 5:
        commit = readUint64(reader);
        break;
      case 6:
        readProperty(reader, properties);
        break;
      case 7:
        metadata = readBytes(reader);
        break;
      case 8:
        data = readBytes(reader);
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  return { id, stream, revision, position: positionOf({ commit, prepare }), ...properties, data, metadata };
}

interface Properties {
  type: string;
  isJson: boolean;
  recorded: number;
}

/** An entry of the map that has type, content type and time of an event. */
function readProperty(reader: protobuf.Reader, properties: Properties): void {
  let key = '';
  let value = '';
  const end = endOf(reader);
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) key = reader.string();
    else if (tag >>> 3 === 2) value = reader.string();
    else reader.skipType(tag & 7);
  }
  if (key === 'type') properties.type = value;
  else if (key === 'content-type') properties.isJson = value === 'application/json';
  else if (key === 'created') properties.recorded = Number(value.slice(0, -digitsBelowMs));
}

/** The text in one field of a message: of an id that was asked for as text, or the name of a stream. */
function readText(reader: protobuf.Reader, field: number): string {
  let text = '';
  const end = endOf(reader);
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === field) text = reader.string();
    else reader.skipType(tag & 7);
  }
  return text;
}

function readBytes(reader: protobuf.Reader): Buffer {
  const bytes = reader.bytes();
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
}
