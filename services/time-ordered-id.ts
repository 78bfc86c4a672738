import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** Random bytes for 256 ids. To ask for those of one id takes ten times as long as all else of making it. */
const bytesOfId = 16;
const random = new Uint8Array(256 * bytesOfId);
let used = random.length;
let lastMs = 0;
let sequence = 0;

/** A new UUID of version 7. Those of this process grow, so that indexes of them grow at their end. */
export function timeOrderedId(): string {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  const own = random.subarray(used, used + bytesOfId);
  used += bytesOfId;
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    // Random, and below half of its 32 bits, so that it cannot run over within a millisecond.
    sequence = new DataView(own.buffer, own.byteOffset).getUint32(0) >>> 1;
  } else sequence++;
  return v7({ random: own, msecs: lastMs, seq: sequence });
}
