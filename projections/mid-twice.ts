import { firstReplacedMid, Mid } from '../contracts/ids.ts';
import type { Decoded } from '../services/log/codec.ts';

/** The unique index of mids in read.messages. */
const midIndex = 'messages_mid_idx';

/** Whether Postgres refused rows because a mid is already used. */
export function isMidTwice(error: unknown): boolean {
  return error instanceof Error && 'constraint' in error && error.constraint === midIndex;
}

/**
 * An event whose mid another message had first, with another mid in its place. That is made from the event's id, so a
 * rebuild gives the same. Undefined if the event has no mid, or a replaced one already.
 */
export function underAnotherMid(event: Decoded): Decoded | undefined {
  const mid = Mid.parse(firstReplacedMid + Number.parseInt(event.id.replaceAll('-', '').slice(-13), 16));
  const { data } = event;
  if ('mid' in data && data.mid !== mid) return { ...event, data: { ...data, mid } } as Decoded;
  if ('noticeMid' in data && data.noticeMid !== null && data.noticeMid !== mid) {
    return { ...event, data: { ...data, noticeMid: mid } } as Decoded;
  }
  return undefined;
}
