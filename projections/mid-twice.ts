import { firstReplacedMid, Mid } from '../contracts/ids.ts';
import type { Decoded } from '../services/log/codec.ts';

/** The index of read.messages that lets a mid stand once. */
const midIndex = 'messages_mid_idx';

/** Whether Postgres refused rows because a mid stands already. */
export function isMidTwice(error: unknown): boolean {
  return error instanceof Error && 'constraint' in error && error.constraint === midIndex;
}

/**
 * An event whose message stands under a mid that another message had first, shown under another one. That is
 * made from the event's id, so that a rebuild gives the same. Undefined where no mid is to blame, or it was
 * replaced already.
 */
export function underAnotherMid(event: Decoded): Decoded | undefined {
  const mid = Mid.parse(firstReplacedMid + Number.parseInt(event.id.replaceAll('-', '').slice(-13), 16));
  const { data } = event;
  if ('mid' in data && data.mid !== mid) return { ...event, data: { ...data, mid } } as Decoded;
  if ('notice' in data && data.notice && data.notice.mid !== mid) {
    return { ...event, data: { ...data, notice: { ...data.notice, mid } } } as Decoded;
  }
  return undefined;
}
