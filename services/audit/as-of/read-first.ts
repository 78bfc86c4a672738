import type { Decoded } from '../../log/codec.ts';
import type { StreamName } from '../../log/log.ts';
import { mergedStreams } from '../merged-streams.ts';
import type { Moment } from '../moment.ts';
import type { ReadableLog } from '../readable-log.ts';

/** How many events are kept in memory; streams with more are read again. */
export const maxKeptEvents = 20_000;

/** Streams that were read: their events in the order of the log or, if these are too many, their names. */
export interface ReadFirst {
  readonly streams: readonly StreamName[];
  readonly events: readonly Decoded[];
}

/**
 * Reads streams up to a moment to find out whom they concern, before their events are applied.
 * @param each is called with each event, in the order of the log
 * @throws UnreadableEvent, LogFailure
 */
export async function readFirst(
  log: ReadableLog,
  streams: readonly StreamName[],
  moment: Moment,
  each: (event: Decoded) => void,
): Promise<ReadFirst> {
  const events: Decoded[] = [];
  let count = 0;
  for await (const event of mergedStreams(log, streams, moment)) {
    each(event);
    if (++count <= maxKeptEvents) events.push(event);
  }
  return count <= maxKeptEvents ? { streams: [], events } : { streams, events: [] };
}
