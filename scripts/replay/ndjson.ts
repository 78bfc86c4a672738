import type { CurrentNames } from '../../services/audit/events/names.ts';
import { entryOf } from '../../services/audit/index/entry.ts';
import { decodeUncached } from '../../services/log/codec.ts';
import type { RecordedEvent } from '../../services/log/log.ts';
import { escapeControls } from '../cli/output.ts';
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
    const { position, recorded, stream, revision, id, type, data, metadata } = record;
    const shown = { position, recorded, stream, revision, id, type, data, metadata, skipped };
    if (this.#names === undefined) return escapeControls(JSON.stringify(shown));
    return nicknames(this.#names, entryOf(record, decodeUncached(record))).then((names) =>
      escapeControls(JSON.stringify({ ...shown, names })),
    );
  }
}
