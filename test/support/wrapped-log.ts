import type { EventLog } from '../../services/log/log.ts';

/** A log that passes all calls to `log`, except the changed ones. */
export function wrapLog(log: EventLog, changes: Partial<EventLog>): EventLog {
  return {
    remembersIds: log.remembersIds,
    recordedAscends: log.recordedAscends,
    append: (...parameters) => log.append(...parameters),
    readStream: (...parameters) => log.readStream(...parameters),
    readStreams: (...parameters) => log.readStreams(...parameters),
    readEvents: (...parameters) => log.readEvents(...parameters),
    at: (...parameters) => log.at(...parameters),
    hiddenStreams: (prefixes, after) => log.hiddenStreams(prefixes, after),
    misplacedEvents: (options) => log.misplacedEvents(options),
    readAll: (...parameters) => log.readAll(...parameters),
    subscribe: (...parameters) => log.subscribe(...parameters),
    end: (prefixes) => log.end(prefixes),
    extent: (after, upTo) => log.extent(after, upTo),
    get generation() {
      return log.generation;
    },
    onChanged: (listener) => log.onChanged(listener),
    identity: () => log.identity(),
    found: (identity) => log.found(identity),
    beginEpoch: (old) => log.beginEpoch(old),
    idAt: (position) => log.idAt(position),
    healthy: () => log.healthy(),
    close: () => log.close(),
    ...changes,
  };
}
