import { withoutLastKey } from './last-key.ts';
import type { Json, RawEvent, RecordedEvent } from './log.ts';
import { parseStored } from './stored-json.ts';

/**
 * The last key of a copied event's metadata, but for what a store adds: when the log that it was copied from stored
 * it. A store gives each event the time of the copy, and EventStoreDB allows no other.
 */
const key = '$recorded';

/** The last time that a `Date` can be, in milliseconds since 1970. */
const lastTime = 8_640_000_000_000_000;

/** Whether a text may hold it, also written with escapes. */
const mayHoldKey = /\$recorded|\\u/;

/** The metadata under which a copy of an event is appended. */
export function metadataOfCopy({ metadata, recorded }: Pick<RecordedEvent, 'metadata' | 'recorded'>): Json {
  return { ...metadata, [key]: recorded };
}

/** An event as its store gives it; a copied one as it was in the log that it was copied from. */
export function withOriginalTime(record: RecordedEvent): RecordedEvent {
  if (!(key in record.metadata)) return record;
  const { [key]: recorded, ...metadata } = record.metadata;
  if (!isTime(recorded)) return record;
  return { ...record, metadata, recorded, raw: new OriginalTexts(record.raw, `"${key}":${recorded}}`) };
}

/** Whether a value is a time in milliseconds since 1970. */
function isTime(value: unknown): value is number {
  return Number.isInteger(value) && Math.abs(Number(value)) <= lastTime;
}

/** Takes the key off its text only for a reader that asks for it. */
class OriginalTexts implements RawEvent {
  readonly #raw: RawEvent;
  readonly #end: string;

  constructor(raw: RawEvent, end: string) {
    this.#raw = raw;
    this.#end = end;
  }

  get data(): string {
    return this.#raw.data;
  }

  get metadata(): string {
    const { metadata } = this.#raw;
    if (!metadata.endsWith(this.#end)) return metadata;
    const text = withoutLastKey(metadata, metadata.length - this.#end.length);
    // Of a key that is there twice the other one is no more in what was read: the text is shown with both.
    return mayHoldKey.test(text) && key in parseStored(text) ? metadata : text;
  }
}
