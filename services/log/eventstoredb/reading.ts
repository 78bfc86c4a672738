import type { StreamingRead } from '@eventstore/db-client';
import { LogFailure } from '../log.ts';

/** How often a read is looked at whether it has come to a stop, in milliseconds. */
const watchEvery = 250;

/**
 * What a read gives, item by item. The client waits for ever for a server that has frozen; here a
 * read that gives nothing for so many milliseconds, while it is waited for, ends.
 * @throws LogFailure of kind `unavailable`.
 */
export async function* readPatiently<Item>(
  read: StreamingRead<Item>,
  milliseconds: number,
): AsyncGenerator<Item, void, undefined> {
  let waitingSince = performance.now();
  let handling = false;
  const watch = setInterval(() => {
    if (handling || performance.now() - waitingSince < milliseconds) return;
    read.destroy(new LogFailure('unavailable', 'the event store did not answer a read in time'));
  }, watchEvery);
  let whole = false;
  try {
    for await (const item of read) {
      handling = true;
      yield item;
      handling = false;
      waitingSince = performance.now();
    }
    whole = true;
  } catch (error) {
    if (error instanceof LogFailure) throw error;
    if (isStreamNotFound(error)) return;
    const message = error instanceof Error ? error.message : String(error);
    throw new LogFailure('unavailable', `the event store could not be read: ${message}`, { cause: error });
  } finally {
    clearInterval(watch);
    if (!whole) {
      read.on('error', () => undefined);
      read.cancel().catch(() => undefined);
    }
  }
}

function isStreamNotFound(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'type' in error && error.type === 'stream-not-found';
}
