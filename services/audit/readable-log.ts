import type { EventLog } from '../log/log.ts';

/** What asking about the past needs of a log. */
export type ReadableLog = Pick<
  EventLog,
  | 'readStream'
  | 'readStreams'
  | 'readEvents'
  | 'readAll'
  | 'hiddenStreams'
  | 'misplacedEvents'
  | 'end'
  | 'identity'
  | 'remembersIds'
>;

/** The same log, whose reads end with the signal's reason once it is aborted. */
export function abortable(log: ReadableLog, signal: AbortSignal): ReadableLog {
  const until = async function* <Item>(items: AsyncIterable<Item>) {
    signal.throwIfAborted();
    for await (const item of items) {
      yield item;
      signal.throwIfAborted();
    }
  };
  return {
    remembersIds: log.remembersIds,
    readStream: (stream, options) => until(log.readStream(stream, options)),
    readStreams: (streams, options) => until(log.readStreams(streams, options)),
    readEvents: (places) => until(log.readEvents(places)),
    readAll: (options) => until(log.readAll({ ...options, signal })),
    hiddenStreams: (prefixes, after) => until(log.hiddenStreams(prefixes, after)),
    misplacedEvents: (options) => until(log.misplacedEvents(options)),
    end: (prefixes) => log.end(prefixes),
    identity: () => log.identity(),
  };
}
