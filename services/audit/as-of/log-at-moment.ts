import { type AppendResult, type EventLog, type NewEvent, startOfLog } from '../../log/log.ts';
import { skipStream } from '../../log/skips.ts';
import { type Moment, recordsUntil } from '../moment.ts';

/**
 * The log as it was at a moment. What is appended to it is answered for and kept nowhere: a query that would
 * leave an event, as reading a chat does, can be answered over it. Decisions to skip an event hold for it
 * whenever they were made, as for every rebuild.
 */
export function logAtMoment(log: EventLog, moment: Moment): EventLog {
  return {
    remembersIds: log.remembersIds,
    recordedAscends: log.recordedAscends,
    append: async (_stream, expected, events) => appended(expected, events),
    readStream(stream, options = {}) {
      if (stream === skipStream) return log.readStream(stream, options);
      if (options.direction === 'backwards') throw new RangeError('the past is read forwards');
      return recordsUntil(log.readStream(stream, options), moment);
    },
    readStreams(streams, options = {}) {
      if (options.direction === 'backwards') throw new RangeError('the past is read forwards');
      return recordsUntil(log.readStreams(streams, options), moment);
    },
    readEvents: (places) => recordsUntil(log.readEvents(places), moment),
    readAll: (options) => recordsUntil(log.readAll(options), moment),
    hiddenStreams: (prefixes, after) => log.hiddenStreams(prefixes, after),
    misplacedEvents: (options) => log.misplacedEvents(options),
    async at(position) {
      const record = await log.at(position);
      return record && moment.includes(record) ? record : undefined;
    },
    async *subscribe({ signal }) {
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
    // Nothing follows, so that every position is reached.
    end: async () => startOfLog,
    extent: (after, upTo) => log.extent(after, upTo),
    generation: log.generation,
    onChanged: () => () => undefined,
    identity: () => log.identity(),
    found: () => Promise.reject(pastIsKept()),
    beginEpoch: () => Promise.reject(pastIsKept()),
    idAt: (position) => log.idAt(position),
    healthy: () => log.healthy(),
    close: async () => undefined,
  };
}

function appended(expected: 'any' | 'none' | number, events: readonly NewEvent[]): AppendResult {
  const before = typeof expected === 'number' ? expected : -1;
  return { outcome: 'appended', revision: before + events.length, position: startOfLog };
}

function pastIsKept(): Error {
  return new TypeError('the log of a moment of the past is not changed');
}
