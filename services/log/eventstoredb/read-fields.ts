import type protobuf from 'protobufjs/minimal.js';
import type { Position } from '../log.ts';
import { positionOf } from './position.ts';

/** Where the message ends whose length comes next. */
export function endOf(reader: protobuf.Reader): number {
  return reader.uint32() + reader.pos;
}

/** A message with the two offsets of a position. */
export function readPosition(reader: protobuf.Reader): Position {
  let commit = '0';
  let prepare = '0';
  const end = endOf(reader);
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) commit = readUint64(reader);
    else if (tag >>> 3 === 2) prepare = readUint64(reader);
    else reader.skipType(tag & 7);
  }
  return positionOf({ commit, prepare });
}

/** An unsigned number of 64 bits, exactly. */
export function readUint64(reader: protobuf.Reader): string {
  const { high, low } = reader.uint64();
  const [upper, lower] = [high >>> 0, low >>> 0];
  // Below 2^53 a number is exact, and its text is made faster.
  if (upper < 2 ** 21) return String(upper * 2 ** 32 + lower);
  return String((BigInt(upper) << 32n) | BigInt(lower));
}

/** A message `UUID`, which has it as text or as two halves. */
export function readUuid(reader: protobuf.Reader): string {
  let uuid = '';
  const end = endOf(reader);
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) uuid = readHalves(reader);
    else if (tag >>> 3 === 2) uuid = reader.string();
    else reader.skipType(tag & 7);
  }
  return uuid;
}

function readHalves(reader: protobuf.Reader): string {
  let upper = noHalf;
  let lower = noHalf;
  const end = endOf(reader);
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) upper = hexOf(reader);
    else if (tag >>> 3 === 2) lower = hexOf(reader);
    else reader.skipType(tag & 7);
  }
  return `${upper.slice(0, 8)}-${upper.slice(8, 12)}-${upper.slice(12)}-${lower.slice(0, 4)}-${lower.slice(4)}`;
}

/** The digits of a half that is not sent because it is 0. */
const noHalf = '0'.repeat(16);

function hexOf(reader: protobuf.Reader): string {
  const { high, low } = reader.uint64();
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
