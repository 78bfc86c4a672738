import { afterAll, beforeAll, describe } from 'vitest';
import type { EventLog } from '../../services/log/log.ts';
import { describeAppending } from './contract-appending.ts';
import { describeCrashes } from './contract-crashes.ts';
import { describeRaw } from './contract-raw.ts';
import { describeReading } from './contract-reading.ts';
import { describeRepeating } from './contract-repeating.ts';
import { describeSubscribing } from './contract-subscribing.ts';

/** A store that logs can be opened on. */
export interface Store {
  /** Opens the log as one more process would. */
  open(): Promise<EventLog>;
  /** Removes it; all logs are closed by then. */
  remove(): Promise<void>;
}

/** A store on a server of its own that may be killed. */
export interface MortalStore extends Store {
  /** SIGKILL to the server; settles when it is dead. */
  kill(): Promise<void>;
  /** Settles when the server answers again. */
  ready(): Promise<void>;
}

export interface Stores {
  make(): Promise<Store>;
  /** Where it is left out, nothing is killed. */
  makeMortal?(): Promise<MortalStore>;
}

/** A log, and how to open it a second time as another process would. */
export interface Subject {
  readonly log: EventLog;
  /** Another process's view of the same store. */
  readonly other: EventLog;
}

/**
 * What every adapter of the event log must do, as one suite. A store may hold other events besides:
 * each test keeps to a category of its own.
 */
export function describeEventLog(name: string, stores: Stores): void {
  describe(`the event log in ${name}`, () => {
    let store: Store;
    let log: EventLog;
    let other: EventLog;
    const subject: Subject = {
      get log() {
        return log;
      },
      get other() {
        return other;
      },
    };

    beforeAll(async () => {
      store = await stores.make();
      log = await store.open();
      other = await store.open();
    });

    afterAll(async () => {
      await log.close();
      await other.close();
      await store.remove();
    });

    describeAppending(subject);
    describeRepeating(subject);
    describeRaw(subject);
    describeReading(subject, () => store.open());
    describeSubscribing(subject, () => store.open());
    if (stores.makeMortal) describeCrashes(stores.makeMortal);
  });
}
