import { Metadata } from '@grpc/grpc-js';
import { LogFailure } from '../log.ts';
import { cancelRead, type EventStoreDBConnection, type ReadCall } from './connection.ts';
import type { ReadRequest } from './read-request.ts';
import type { StoredMessage } from './read-response.ts';

/** How often a read is checked for its timeout. */
const checkEveryMs = 250;

/**
 * The events of a read, from the cluster's leader, so that it sees the appends before it. The client would wait for a
 * frozen server for ever; this ends a read that returns nothing for `timeoutMs` while the caller waits for it. A stream
 * that does not exist, or was tombstoned, has no events.
 * @throws LogFailure of kind `unavailable`
 */
export async function* readWithTimeout(
  connection: EventStoreDBConnection,
  request: ReadRequest,
  timeoutMs: number,
): AsyncGenerator<StoredMessage, void, undefined> {
  let complete = false;
  let checks: NodeJS.Timeout | undefined;
  let call: ReadCall | undefined;
  try {
    let waitingSince = performance.now();
    let callerWorks = false;
    call = await connection.openRead(request, { requiresLeader: true });
    const read = call;
    checks = setInterval(() => {
      if (callerWorks || performance.now() - waitingSince < timeoutMs) return;
      read.destroy(new LogFailure('unavailable', 'the event store did not answer a read in time'));
    }, checkEveryMs);
    for await (const response of read) {
      if (response.kind !== 'event') continue;
      callerWorks = true;
      yield response.event;
      callerWorks = false;
      waitingSince = performance.now();
    }
    complete = true;
  } catch (error) {
    if (error instanceof LogFailure) throw error;
    if (isStreamGone(error)) return;
    const message = error instanceof Error ? error.message : String(error);
    throw new LogFailure('unavailable', `the event store could not be read: ${message}`, { cause: error });
  } finally {
    clearInterval(checks);
    if (!complete && call) cancelRead(call);
  }
}

/** Whether the error of a call says that the stream was tombstoned. */
function isStreamGone(error: unknown): boolean {
  if (!(error instanceof Error && 'metadata' in error && error.metadata instanceof Metadata)) return false;
  return error.metadata.get('exception')[0] === 'stream-deleted';
}
