import type { MisplacedEvent, RecordedEvent } from '../../log/log.ts';
import { foreignnessOf } from './foreign-event.ts';
import { UnreadEvents } from './unread-events.ts';
import type { UnreadEvent } from './unread-text.ts';

/** How many events are named that no version of the program appended where they lie. */
const maxForeign = 100;

/** The first events of a log that no append of the program leaves, each by itself, whatever the tree says of it. */
export class StrangeEvents {
  readonly #unread = new UnreadEvents();
  /** Those that nobody but who writes past the program appends to their streams. */
  readonly foreign: MisplacedEvent[] = [];

  /** Those whose texts hold what reading them leaves out. */
  get unread(): readonly UnreadEvent[] {
    return this.#unread.named;
  }

  /** Looks at the next event. @param canonical its canonical text */
  note(record: RecordedEvent, canonical: string): void {
    this.#unread.note(record, canonical);
    const { stream, revision, position, type } = record;
    const misplacement = foreignnessOf(record);
    if (misplacement !== undefined && this.foreign.length < maxForeign)
      this.foreign.push({ misplacement, stream, revision: String(revision), position, type });
  }
}
