import type { Logger } from 'pino';
import type { EventLog } from '../../log/log.ts';
import type { Database } from '../../postgres/database.ts';
import { HiddenWatch } from './hidden-watch.ts';
import { type StrangeInLog, strangeInLog } from './strange-in-log.ts';
import { TreeStore } from './tree-store.ts';
import { lackingInWords } from './verified-words.ts';

/**
 * Notices what was written into the log, or deleted from it, past the program, although the tree over it is what was signed:
 * heads are signed all the same.
 */
export class LogWatch {
  readonly #log: EventLog;
  readonly #database: Database;
  readonly #logger: Logger;
  readonly #watch: HiddenWatch;
  /** The auditor logs what is repeated when it comes. */
  #strange: StrangeInLog = { misplaced: '', repeated: '', unread: '' };
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
    const { misplaced, repeated, unread } = this.#strange;
    const found = [misplaced, repeated, unread, this.#hidden].filter((words) => words !== '');
    return found.length === 0 ? undefined : found.join('; ');
  }

  /** Looks for all of it. @throws LogFailure; what `pg` throws */
  async check(): Promise<void> {
    await this.#checkHidden();
    await this.#checkStrange();
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

  async #checkStrange(): Promise<void> {
    const before = this.#strange;
    this.#strange = await strangeInLog(this.#log, this.#database);
    const { misplaced, unread } = this.#strange;
    if (misplaced === '' && before.misplaced !== '')
      this.#logger.info(
        { before: before.misplaced },
        'all events of the log lie where they were appended again',
      );
    else if (misplaced !== before.misplaced)
      this.#logger.error({ reason: misplaced }, 'events of the log lie where none was appended');
    if (unread === '' && before.unread !== '')
      this.#logger.info({ before: before.unread }, 'the texts of all events of the log are read whole again');
    else if (unread !== before.unread)
      this.#logger.error({ reason: unread }, 'texts of events hold what reading them leaves out');
  }
}
