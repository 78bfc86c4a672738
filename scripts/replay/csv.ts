import type { CurrentNames } from '../../services/audit/events/names.ts';
import { entryOf } from '../../services/audit/index/entry.ts';
import { utcTime } from '../../services/audit/local-time.ts';
import { decodeUncached } from '../../services/log/codec.ts';
import type { Json, RecordedEvent } from '../../services/log/log.ts';
import { escapeControls } from '../cli/output.ts';
import { nicknames } from './nicknames.ts';

const columns = [
  ...['position', 'recorded', 'stream', 'revision', 'id', 'type', 'actor', 'acted_for', 'key', 'session'],
  ...['address', 'operator', 'correlation', 'causation', 'conversation', 'mid', 'people', 'skipped', 'data'],
];

/** A table as RFC 4180 has it; `people` are uids with blanks between, `data` and `names` are JSON. */
export class Csv {
  readonly heading: string;
  readonly #names: CurrentNames | undefined;

  /** @param names given to add the names of the people whom each event is about */
  constructor(names: CurrentNames | undefined) {
    this.#names = names;
    this.heading = `${[...columns, ...(names ? ['names'] : [])].join(',')}\n`;
  }

  line(record: RecordedEvent, skipped: string | undefined): string | Promise<string> {
    const { position, recorded, stream, revision, id, type, data, metadata } = record;
    const entry = entryOf(record, decodeUncached(record));
    const { actor, actedFor, correlation, causation, conversation, mid, people } = entry;
    const time = utcTime(recorded);
    const fields = [
      ...[position, time, stream, revision, id, type, actor, actedFor],
      ...['key', 'session', 'address', 'operator'].map((name) => textOf(metadata, name)),
      ...[correlation, causation, conversation, mid, people.join(' '), skipped, JSON.stringify(data)],
    ].map(field);
    if (this.#names === undefined) return fields.join(',');
    return nicknames(this.#names, entry).then((names) => [...fields, field(JSON.stringify(names))].join(','));
  }
}

function textOf(metadata: Json, name: string): string | undefined {
  const value = metadata[name];
  return typeof value === 'string' ? value : undefined;
}

function field(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '';
  const text = escapeControls(String(value));
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
