import { categories } from '../../../contracts/events/index.ts';
import { type EventLog, type StreamName, startOfLog } from '../../log/log.ts';
import { type LackingBeginning, lackingBeginning } from './hidden-events.ts';
import type { TreeStore } from './tree-store.ts';

/** How many streams it watches: those whose events are hidden, and those whose metadata may hide some later. */
const maxWatched = 1_000;

/** At how many streams that lacked nothing it looks in one check: each takes a read and a query. */
const maxLookedAt = 100;

/**
 * Notices that the store of a log hides audited events. The first check searches all of the log, which takes the store
 * about a second for a million events; the next ones search what came since. A stream that lacks nothing is watched on,
 * since metadata such as `$maxCount` take hold when more events come, and time hides what `$maxAge` limits.
 */
export class HiddenWatch {
  readonly #log: Pick<EventLog, 'end' | 'hiddenStreams' | 'readStream'>;
  /** What each watched stream lacks, in the order in which they were looked at. */
  readonly #streams = new Map<StreamName, LackingBeginning | undefined>();
  #after = startOfLog;

  constructor(log: Pick<EventLog, 'end' | 'hiddenStreams' | 'readStream'>) {
    this.#log = log;
  }

  /** What is hidden now. @throws LogFailure; what `pg` throws */
  async check(store: TreeStore): Promise<LackingBeginning[]> {
    const end = await this.#log.end();
    const due = new Set<StreamName>();
    for await (const { stream, readableFrom } of this.#log.hiddenStreams(categories, this.#after)) {
      if (!this.#hasRoomFor(stream, readableFrom !== 0)) continue;
      if (!this.#streams.has(stream)) this.#streams.set(stream, undefined);
      if (readableFrom !== 0) due.add(stream);
    }
    this.#after = end;
    const lacked = this.#streams.entries().filter(([, lacking]) => lacking !== undefined);
    const others = this.#streams.entries().filter(([, lacking]) => lacking === undefined);
    for (const [stream] of [...lacked, ...others.take(maxLookedAt)]) due.add(stream);
    for (const stream of due) {
      const lacking = await lackingBeginning(this.#log, store, stream);
      // The next check begins with those that it has not looked at for longest.
      this.#streams.delete(stream);
      this.#streams.set(stream, lacking);
    }
    return [...this.#streams.values()].filter((lacking) => lacking !== undefined);
  }

  /** The log has changed: positions in it mean nothing any more. */
  reset(): void {
    this.#after = startOfLog;
    this.#streams.clear();
  }

  /** Whether a stream is watched or can be; one whose events are hidden takes the place of one that lacks nothing. */
  #hasRoomFor(stream: StreamName, isHidden: boolean): boolean {
    if (this.#streams.has(stream) || this.#streams.size < maxWatched) return true;
    const [spare] = this.#streams.entries().find(([, lacking]) => lacking === undefined) ?? [];
    return isHidden && spare !== undefined && this.#streams.delete(spare);
  }
}
