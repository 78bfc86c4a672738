import { afterAll, beforeAll, describe } from 'vitest';
import type { EventLog } from '../../services/log/log.ts';
import { describeAppending } from './contract-appending.ts';
import { describeCopies } from './contract-copies.ts';
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

/** A store on its own server, which may be killed. */
export interface MortalStore extends Store {
  /** Sends the server SIGKILL; resolves when it has ended. */
  kill(): Promise<void>;
  /** Resolves when the server answers again. */
  ready(): Promise<void>;
}

export interface Stores {
  make(): Promise<Store>;
  /** Without it, nothing is killed. */
  makeMortal?(): Promise<MortalStore>;
}

/** A log that is opened twice. */
export interface Subject {
  readonly log: EventLog;
  /** The same store as another process has it open. */
  readonly other: EventLog;
}

/**
 * The suite that every adapter of the event log must pass. A store may contain other events, so each test has its own
 * category.
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
    describeCopies(subject);
    describeReading(subject, () => store.open());
    describeSubscribing(subject, () => store.open());
    if (stores.makeMortal) describeCrashes(stores.makeMortal);
  });
}
