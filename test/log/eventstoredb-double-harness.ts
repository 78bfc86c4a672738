import { pino } from 'pino';
import { afterEach } from 'vitest';
import {
  type EventStoreDBTimeouts,
  openEventStoreDBLog,
} from '../../services/log/eventstoredb/eventstoredb-log.ts';
import type { EventLog } from '../../services/log/log.ts';
import { EventStoreDBDouble } from '../support/eventstoredb-double.ts';

export const silent = pino({ level: 'silent' });

export const shortTimeouts: EventStoreDBTimeouts = {
  attemptMs: 300,
  appendMs: 600,
  readMs: 600,
  heartbeat: { silenceMs: 100, answerTimeoutMs: 200 },
};

/** Starts doubles of EventStoreDB and opens logs on them, for single tests of a file. */
export function useDoubles() {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  return {
    /** Calls a function after the test, before earlier ones. */
    atEnd(end: () => unknown): void {
      ends.push(end);
    },
    async start(): Promise<EventStoreDBDouble> {
      const double = new EventStoreDBDouble();
      await double.start();
      ends.push(() => double.kill());
      return double;
    },
    open(double: EventStoreDBDouble, timeouts: Partial<EventStoreDBTimeouts> = {}): EventLog {
      const log = openEventStoreDBLog({ url: double.url, logger: silent, timeouts });
      ends.push(() => log.close());
      return log;
    },
  };
}
