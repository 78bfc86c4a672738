import { categories } from '../../../contracts/events/index.ts';
import { type EventLog, type StreamName, startOfLog } from '../../log/log.ts';
import { type LackingBeginning, lackingBeginning } from './hidden-events.ts';
import type { TreeStore } from './tree-store.ts';

/** How many streams it watches whose events are hidden. */
const maxWatched = 100;

/**
 * Notices that the store of a log hides audited events. The first check searches all of the log, which takes the store
 * about a second for a million events; the next ones search what came since.
 */
export class HiddenWatch {
  readonly #log: Pick<EventLog, 'end' | 'hiddenStreams' | 'readStream'>;
  readonly #streams = new Set<StreamName>();
  #after = startOfLog;

  constructor(log: Pick<EventLog, 'end' | 'hiddenStreams' | 'readStream'>) {
    this.#log = log;
  }

  /** What is hidden now. @throws LogFailure; what `pg` throws */
  async check(store: TreeStore): Promise<LackingBeginning[]> {
    const end = await this.#log.end();
    for await (const { stream } of this.#log.hiddenStreams(categories, this.#after)) {
      if (this.#streams.size < maxWatched) this.#streams.add(stream);
    }
    this.#after = end;
    const hidden: LackingBeginning[] = [];
    for (const stream of this.#streams) {
      const lacking = await lackingBeginning(this.#log, store, stream);
      if (lacking) hidden.push(lacking);
      else this.#streams.delete(stream);
    }
    return hidden;
  }

  /** The log has changed: positions in it mean nothing any more. */
  reset(): void {
    this.#after = startOfLog;
    this.#streams.clear();
  }
}
