import type { EventLog } from '../../log/log.ts';
import type { Database } from '../../postgres/database.ts';
import { falseRepeats } from '../index/repeats.ts';
import { storedRepeats } from '../index/stored-repeats.ts';
import { eventsOfStoreTypes } from './events-of-store-types.ts';
import { misplacedInWords } from './misplaced-words.ts';
import { storedUnread } from './stored-unread.ts';
import { falseRepeatInWords, unreadInWords } from './verified-words.ts';

/** What was written into a log past the program, in words; empty for each that is not there. */
export interface StrangeInLog {
  /** What was put where no read of the whole log finds it, so that the tree lacks it, or has a type of the store. */
  readonly misplaced: string;
  /** What has the id of another event, so that the tree lacks it. */
  readonly repeated: string;
  /** Of which events the texts hold more than the tree has a digest of. */
  readonly unread: string;
}

/**
 * Looks for it by what the auditor has kept, so that it takes the same time however many events there are. Each event is read
 * from the log before it is named.
 * @throws LogFailure; what `pg` throws
 */
export async function strangeInLog(log: EventLog, database: Database): Promise<StrangeInLog> {
  const misplaced = [
    ...(await Array.fromAsync(log.misplacedEvents())),
    ...(await eventsOfStoreTypes(database)),
  ];
  const repeated = await Array.fromAsync(falseRepeats(log, await storedRepeats(database)));
  const unread = await storedUnread(database, log);
  return {
    misplaced: misplaced.map(misplacedInWords).join('; '),
    repeated: repeated.map(falseRepeatInWords).join('; '),
    unread: unread.map(unreadInWords).join('; '),
  };
}
