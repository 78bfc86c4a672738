import type { EventLog } from '../../services/log/log.ts';

/** A log that is `log` itself but for some of its calls. */
export function wrapLog(log: EventLog, changes: Partial<EventLog>): EventLog {
  return {
    remembersIds: log.remembersIds,
    append: (...parameters) => log.append(...parameters),
    readStream: (...parameters) => log.readStream(...parameters),
    at: (...parameters) => log.at(...parameters),
    readAll: (...parameters) => log.readAll(...parameters),
    subscribe: (...parameters) => log.subscribe(...parameters),
    end: (prefixes) => log.end(prefixes),
    extent: (after, upTo) => log.extent(after, upTo),
    get generation() {
      return log.generation;
    },
    onChanged: (hear) => log.onChanged(hear),
    identity: () => log.identity(),
    found: (identity) => log.found(identity),
    beginEpoch: (old) => log.beginEpoch(old),
    idAt: (position) => log.idAt(position),
    healthy: () => log.healthy(),
    close: () => log.close(),
    ...changes,
  };
}
