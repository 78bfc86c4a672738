import type { MisplacedEvent, RecordedEvent } from '../../log/log.ts';
import { foreignnessOf } from './foreign-event.ts';
import { type UnreadEvent, unreadTexts } from './unread-text.ts';

/** How many events are named whose texts hold what reading them leaves out. */
const maxUnread = 100;

/** How many events are named that no version of the program appended where they lie. */
const maxForeign = 100;

/** The first events of a log that no append of the program leaves, each by itself, whatever the tree says of it. */
export class StrangeEvents {
  /** Those whose texts hold what reading them leaves out. */
  readonly unread: UnreadEvent[] = [];
  /** Those that nobody but who writes past the program appends to their streams. */
  readonly foreign: MisplacedEvent[] = [];

  /** Looks at the next event. @param canonical its canonical text */
  note(record: RecordedEvent, canonical: string): void {
    const { stream, revision, position, recorded, type } = record;
    const texts = unreadTexts(record, canonical);
    if (texts.length > 0 && this.unread.length < maxUnread)
      this.unread.push({ event: { stream, revision, type, recorded }, texts });
    const misplacement = foreignnessOf(record);
    if (misplacement !== undefined && this.foreign.length < maxForeign)
      this.foreign.push({ misplacement, stream, revision: String(revision), position, type });
  }
}
