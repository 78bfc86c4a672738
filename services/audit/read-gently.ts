import { setTimeout as delay } from 'node:timers/promises';
import type { ReadableLog } from './readable-log.ts';

/** How long the log is read between two rests. */
const workMs = 50;

/** The same log, read with rests that take as long as the work, so that others keep half of the process. */
export function readGently(log: ReadableLog, signal: AbortSignal): ReadableLog {
  return {
    remembersIds: log.remembersIds,
    readStream: (stream, options) => log.readStream(stream, options),
    readStreams: (streams, options) => log.readStreams(streams, options),
    readEvents: (places) => log.readEvents(places),
    hiddenStreams: (prefixes, after) => log.hiddenStreams(prefixes, after),
    misplacedEvents: (options) => log.misplacedEvents(options),
    end: (prefixes) => log.end(prefixes),
    identity: () => log.identity(),
    async *readAll(options) {
      let begun = performance.now();
      for await (const record of log.readAll(options)) {
        yield record;
        const tookMs = performance.now() - begun;
        if (tookMs < workMs) continue;
        await delay(tookMs, undefined, { signal });
        begun = performance.now();
      }
    },
  };
}
