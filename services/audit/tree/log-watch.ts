import type { Logger } from 'pino';
import type { EventLog } from '../../log/log.ts';
import type { Database } from '../../postgres/database.ts';
import { falseRepeats } from '../index/repeats.ts';
import { storedRepeats } from '../index/stored-repeats.ts';
import { eventsOfStoreTypes } from './events-of-store-types.ts';
import { HiddenWatch } from './hidden-watch.ts';
import { misplacedInWords } from './misplaced-words.ts';
import { storedUnread } from './stored-unread.ts';
import { TreeStore } from './tree-store.ts';
import { falseRepeatInWords, lackingInWords, unreadInWords } from './verified-words.ts';

/**
 * Notices what was written into the log, or deleted from it, past the program, although the tree over it is what was signed:
 * heads are signed all the same.
 */
export class LogWatch {
  readonly #log: EventLog;
  readonly #database: Database;
  readonly #logger: Logger;
  readonly #watch: HiddenWatch;
  /** What was put where no read of the whole log finds it, so that the tree lacks it, or has a type of the store. */
  #misplaced = '';
  /** What has the id of another event, so that the tree lacks it. The auditor logs it when it comes. */
  #repeated = '';
  /** Of which events the texts hold more than the tree has a digest of. */
  #unread = '';
  /** What the store hides; the tree has it. */
  #hidden = '';

  constructor(log: EventLog, database: Database, logger: Logger) {
    this.#log = log;
    this.#database = database;
    this.#logger = logger;
    this.#watch = new HiddenWatch(log);
  }

  /** All that the last check found, in words; undefined if that is nothing. */
  get fault(): string | undefined {
    const found = [this.#misplaced, this.#repeated, this.#unread, this.#hidden].filter(
      (words) => words !== '',
    );
    return found.length === 0 ? undefined : found.join('; ');
  }

  /** Looks for all of it. @throws LogFailure; what `pg` throws */
  async check(): Promise<void> {
    await this.#checkHidden();
    await this.#checkPlaces();
    await this.#checkTexts();
    await this.#checkRepeats();
  }

  /** The log has changed: positions in it mean nothing any more. */
  reset(): void {
    this.#watch.reset();
  }

  async #checkHidden(): Promise<void> {
    const before = this.#hidden;
    this.#hidden = (await this.#watch.check(new TreeStore(this.#database))).map(lackingInWords).join('; ');
    if (this.#hidden === before) return;
    if (this.#hidden === '') this.#logger.info({ before }, 'streams of the log have all their events again');
    else
      this.#logger.error(
        { reason: this.#hidden },
        'streams of the log were deleted or truncated in the event store',
      );
  }

  /** Read from the log, as its words tell to skip the event. */
  async #checkRepeats(): Promise<void> {
    const found = await Array.fromAsync(falseRepeats(this.#log, await storedRepeats(this.#database)));
    this.#repeated = found.map(falseRepeatInWords).join('; ');
  }

  async #checkTexts(): Promise<void> {
    const before = this.#unread;
    this.#unread = (await storedUnread(this.#database, this.#log)).map(unreadInWords).join('; ');
    if (this.#unread === before) return;
    if (this.#unread === '')
      this.#logger.info({ before }, 'the texts of all events of the log are read whole again');
    else this.#logger.error({ reason: this.#unread }, 'texts of events hold what reading them leaves out');
  }

  async #checkPlaces(): Promise<void> {
    const found = [
      ...(await Array.fromAsync(this.#log.misplacedEvents())),
      ...(await eventsOfStoreTypes(this.#database)),
    ];
    const before = this.#misplaced;
    this.#misplaced = found.map(misplacedInWords).join('; ');
    if (this.#misplaced === before) return;
    if (this.#misplaced === '')
      this.#logger.info({ before }, 'all events of the log lie where they were appended again');
    else this.#logger.error({ reason: this.#misplaced }, 'events of the log lie where none was appended');
  }
}
