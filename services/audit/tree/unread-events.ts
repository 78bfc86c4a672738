import type { RecordedEvent } from '../../log/log.ts';
import { canonicalText } from './tree-entry.ts';
import { type UnreadEvent, unreadTexts } from './unread-text.ts';

/** How many events are named. */
const maxNamed = 100;

/** The first events of a log whose texts hold what reading them leaves out, and how many there are. */
export class UnreadEvents {
  readonly named: UnreadEvent[] = [];
  #found = 0;

  /** How many there are beside those that are named. */
  get more(): number {
    return this.#found - this.named.length;
  }

  /** Looks at the next event. @param canonical its canonical text, if that is known already */
  note(record: RecordedEvent, canonical: string = canonicalText(record)): void {
    const texts = unreadTexts(record, canonical);
    if (texts.length === 0) return;
    const { stream, revision, type, recorded } = record;
    if (this.#found++ < maxNamed) this.named.push({ event: { stream, revision, type, recorded }, texts });
  }

  /** The same events, each of which is looked at. @throws what `records` throw */
  async *of(records: AsyncIterable<RecordedEvent>): AsyncGenerator<RecordedEvent, void, undefined> {
    for await (const record of records) {
      this.note(record);
      yield record;
    }
  }
}
