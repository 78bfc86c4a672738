import type { CurrentNames } from '../../services/audit/events/names.ts';
import { entryOf } from '../../services/audit/index/entry.ts';
import { decodeUncached } from '../../services/log/codec.ts';
import type { Json, RecordedEvent } from '../../services/log/log.ts';
import { escapeControls, isPlain } from '../cli/output.ts';
import { nicknames } from './nicknames.ts';

/** A line of JSON for each event, with what the log holds. */
export class Ndjson {
  readonly heading = '';
  readonly #names: CurrentNames | undefined;

  /** @param names given to add the names of the people whom each event is about */
  constructor(names: CurrentNames | undefined) {
    this.#names = names;
  }

  line(record: RecordedEvent, skipped: string | undefined): string | Promise<string> {
    const { position, recorded, stream, revision, id, type, data, metadata, raw } = record;
    const head = JSON.stringify({ position, recorded, stream, revision, id, type }).slice(0, -1);
    const rest = skipped === undefined ? '' : `,"skipped":${JSON.stringify(skipped)}`;
    const line = `${head},"data":${stored(raw.data, data)},"metadata":${stored(raw.metadata, metadata)}${rest}`;
    if (this.#names === undefined) return escapeControls(`${line}}`);
    return nicknames(this.#names, entryOf(record, decodeUncached(record))).then((names) =>
      escapeControls(`${line},"names":${JSON.stringify(names)}}`),
    );
  }
}

/** The text that the store has, if it is an object in one line: to make it again takes longer than all the rest. */
function stored(text: string, parsed: Json): string {
  // What is no JSON was read as an object that holds the text.
  const usable = text.startsWith('{') && parsed.value !== text && isPlain(text);
  return usable ? text : JSON.stringify(parsed);
}
