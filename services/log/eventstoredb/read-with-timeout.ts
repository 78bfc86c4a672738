import { LogFailure } from '../log.ts';
import type { EventStoreDBConnection } from './connection.ts';
import type { GrpcCall } from './grpc-call.ts';
import { GrpcFailure } from './grpc-failure.ts';
import { decodeReadResponse, type StoredMessage } from './read-response.ts';

/** How often a read is checked for its timeout. */
const checkEveryMs = 250;

/** The number of events held for a busy reader; then the read is paused. */
const maxHeldEvents = 256;

/**
 * The events of a read, from the cluster's leader, so that it sees the appends before it. A frozen server would be waited
 * for for ever; this ends a read that returns nothing for `timeoutMs` while the caller waits for it, also one that waits for
 * its connection: the search for the leader of a cluster that does not answer takes minutes. A stream that does not exist,
 * or was tombstoned, has no events.
 * @throws LogFailure of kind `unavailable`
 */
export async function* readWithTimeout(
  connection: EventStoreDBConnection,
  request: Uint8Array,
  timeoutMs: number,
): AsyncGenerator<StoredMessage, void, undefined> {
  let held: StoredMessage[] = [];
  let ended = false;
  let failure: Error | undefined;
  let wake = () => {};
  let waitingSince = performance.now();
  let callerWorks = false;
  /** Undefined while it is being opened. */
  let call: GrpcCall | undefined;
  const end = (error?: Error) => {
    if (ended) return;
    ended = true;
    failure = error;
    call?.cancel();
    wake();
  };
  const opened = (opening: GrpcCall) => {
    call = opening;
    if (ended) opening.cancel();
  };
  const resume = () => call?.resume();
  const receiver = {
    message: (bytes: Buffer) => {
      const response = decodeReadResponse(bytes);
      if (response.kind !== 'event') return;
      held.push(response.event);
      if (held.length === maxHeldEvents) call?.pause();
      wake();
    },
    ended: end,
  };
  connection.openRead(request, { requiresLeader: true }, receiver).then(opened, end);
  const checks = setInterval(() => {
    if (callerWorks || performance.now() - waitingSince < timeoutMs) return;
    end(new LogFailure('unavailable', 'the event store did not answer a read in time'));
  }, checkEveryMs);
  try {
    while (!ended || held.length > 0) {
      if (held.length === 0) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
        continue;
      }
      const batch = held;
      held = [];
      callerWorks = true;
      yield* batch;
      callerWorks = false;
      waitingSince = performance.now();
      resume();
    }
    if (failure) throw failure;
  } catch (error) {
    if (error instanceof LogFailure) throw error;
    if (error instanceof GrpcFailure && error.isStreamGone) return;
    const message = error instanceof Error ? error.message : String(error);
    throw new LogFailure('unavailable', `the event store could not be read: ${message}`, { cause: error });
  } finally {
    clearInterval(checks);
    end();
  }
}
