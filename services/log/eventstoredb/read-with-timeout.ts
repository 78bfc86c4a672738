import type { StreamingRead } from '@eventstore/db-client';
import { LogFailure } from '../log.ts';

/** How often a read is checked for its timeout. */
const checkEveryMs = 250;

/**
 * The items of a read. The client would wait for a frozen server for ever; this ends a read that returns nothing
 * for `timeoutMs` while the caller waits for it. A stream that does not exist, or was tombstoned, has no items.
 * @throws LogFailure of kind `unavailable`
 */
export async function* readWithTimeout<Item>(
  read: StreamingRead<Item>,
  timeoutMs: number,
): AsyncGenerator<Item, void, undefined> {
  let waitingSince = performance.now();
  let callerWorks = false;
  const checks = setInterval(() => {
    if (callerWorks || performance.now() - waitingSince < timeoutMs) return;
    read.destroy(new LogFailure('unavailable', 'the event store did not answer a read in time'));
  }, checkEveryMs);
  let complete = false;
  try {
    for await (const item of read) {
      callerWorks = true;
      yield item;
      callerWorks = false;
      waitingSince = performance.now();
    }
    complete = true;
  } catch (error) {
    if (error instanceof LogFailure) throw error;
    if (isStreamAway(error)) return;
    const message = error instanceof Error ? error.message : String(error);
    throw new LogFailure('unavailable', `the event store could not be read: ${message}`, { cause: error });
  } finally {
    clearInterval(checks);
    if (!complete) {
      read.on('error', () => undefined);
      read.cancel().catch(() => undefined);
    }
  }
}

function isStreamAway(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('type' in error)) return false;
  return error.type === 'stream-not-found' || error.type === 'stream-deleted';
}
