import type { Gid, Uid } from '../../contracts/ids.ts';
import type { FoundEvent } from '../../services/audit/events/find-events.ts';
import type { CurrentNames } from '../../services/audit/events/names.ts';
import { type Naming, sentenceOf } from '../../services/audit/events/words.ts';
import { entryOf } from '../../services/audit/index/entry.ts';
import { localTime } from '../../services/audit/local-time.ts';
import { tryDecode, UnreadableEvent } from '../../services/log/codec.ts';
import type { RecordedEvent } from '../../services/log/log.ts';
import { escapeControls } from '../cli/output.ts';

export const formatNames = ['table', 'ndjson', 'csv'] as const;
export type FormatName = (typeof formatNames)[number];

/** How events are written, one line each. */
export interface Format {
  /** The first line, if there is one. */
  readonly heading: string;
  /** @param skipped why an operator decided to skip the event */
  line(found: FoundEvent, skipped: string | undefined): string | Promise<string>;
}

export function formatOf(name: FormatName, names: CurrentNames, everyName: boolean): Format {
  if (name === 'table') return new Table(names, everyName);
  return name === 'csv' ? new Csv(names, everyName) : new Ndjson(names, everyName);
}

/** Pads a text to a width of columns, of which a Chinese character takes two. */
function padded(text: string, width: number): string {
  const wide = text.match(
    /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/g,
  );
  return text + ' '.repeat(Math.max(0, width - text.length - (wide?.length ?? 0)));
}

class Table implements Format {
  readonly heading =
    `${'time'.padEnd(26)}  ${'who'.padEnd(20)}  ${'where'.padEnd(28)}  ${'type'.padEnd(17)}  what  [position]\n`;
  readonly #names: CurrentNames;
  readonly #everyName: boolean;

  constructor(names: CurrentNames, everyName: boolean) {
    this.#names = names;
    this.#everyName = everyName;
  }

  async line({ record }: FoundEvent, skipped: string | undefined): Promise<string> {
    const { position, recorded, stream, revision, type } = record;
    const where = `${stream}@${revision}`;
    const what = await this.#what(record);
    const note = skipped === undefined ? '' : ` [skipped: ${JSON.stringify(skipped)}]`;
    const who = padded(await this.#who(record), 20);
    return escapeControls(
      `${localTime(recorded)}  ${who}  ${where.padEnd(28)}  ${type.padEnd(17)}  ${what}  [${position}]${note}`,
    );
  }

  /** Who caused it, with the nickname; of the server's key, for whom. */
  async #who(record: RecordedEvent): Promise<string> {
    const { actor, actedFor } = entryOf(record);
    if (actor === null) return '?';
    if (actor === 'server') {
      return actedFor === null ? 'server' : `server for ${await this.#person(actedFor as Uid)}`;
    }
    return /^\d{1,15}$/.test(actor) ? this.#person(Number(actor) as Uid) : actor;
  }

  async #person(uid: Uid): Promise<string> {
    const nickname = await this.#names.ofPerson(uid);
    return nickname === null ? String(uid) : `${uid} (${nickname})`;
  }

  async #what(record: RecordedEvent): Promise<string> {
    const event = tryDecode(record);
    if (event instanceof UnreadableEvent) return JSON.stringify(record.data);
    return sentenceOf(event, this.#everyName ? await this.#naming(record) : plain);
  }

  /** The names of all whom the event is about, read before the sentence is made. */
  async #naming(record: RecordedEvent): Promise<Naming> {
    const { people, conversation } = entryOf(record);
    const gid = conversation?.startsWith('g') ? (Number(conversation.slice(1)) as Gid) : undefined;
    const persons = new Map(
      await Promise.all(people.map(async (uid) => [uid, await this.#names.ofPerson(uid)] as const)),
    );
    const group = gid === undefined ? null : await this.#names.ofGroup(gid);
    return {
      person: (uid) => named(plain.person(uid), persons.get(uid)),
      group: (id) => named(plain.group(id), id === gid ? group : null),
    };
  }
}

const plain: Naming = { person: (uid) => `person ${uid}`, group: (gid) => `group ${gid}` };

function named(id: string, name: string | null | undefined): string {
  return name === null || name === undefined ? id : `${id} (${name})`;
}

/** The nicknames of the people whom an event is about, and of the one who caused it. */
async function nicknames(names: CurrentNames, record: RecordedEvent): Promise<Record<string, string>> {
  const { people, actor } = entryOf(record);
  const uids = new Set<Uid>(people);
  if (actor !== null && /^\d{1,15}$/.test(actor)) uids.add(Number(actor) as Uid);
  const pairs = await Promise.all([...uids].map(async (uid) => [uid, await names.ofPerson(uid)] as const));
  return Object.fromEntries(pairs.flatMap(([id, name]) => (name === null ? [] : [[id, name]])));
}

class Ndjson implements Format {
  readonly heading = '';
  readonly #names: CurrentNames;
  readonly #everyName: boolean;

  constructor(names: CurrentNames, everyName: boolean) {
    this.#names = names;
    this.#everyName = everyName;
  }

  line({ record }: FoundEvent, skipped: string | undefined): string | Promise<string> {
    const { position, recorded, stream, revision, id, type, data, metadata } = record;
    const shown = { position, recorded, stream, revision, id, type, data, metadata, skipped };
    if (!this.#everyName) return escapeControls(JSON.stringify(shown));
    return nicknames(this.#names, record).then((names) =>
      escapeControls(JSON.stringify({ ...shown, names })),
    );
  }
}

const csvColumns = [
  ...['position', 'recorded', 'stream', 'revision', 'id', 'type', 'actor', 'acted_for', 'correlation'],
  ...['causation', 'conversation', 'mid', 'people', 'skipped', 'data'],
];

/** As RFC 4180 has it; `people` are uids with blanks between, `data` is JSON. */
class Csv implements Format {
  readonly heading: string;
  readonly #names: CurrentNames;
  readonly #everyName: boolean;

  constructor(names: CurrentNames, everyName: boolean) {
    this.#names = names;
    this.#everyName = everyName;
    this.heading = `${[...csvColumns, ...(everyName ? ['names'] : [])].join(',')}\n`;
  }

  line({ record }: FoundEvent, skipped: string | undefined): string | Promise<string> {
    const { position, recorded, stream, revision, id, type, data } = record;
    const { actor, actedFor, correlation, causation, conversation, mid, people } = entryOf(record);
    const time = new Date(recorded).toISOString();
    const fields = [
      ...[position, time, stream, revision, id, type, actor, actedFor, correlation],
      ...[causation, conversation, mid, people.join(' '), skipped, JSON.stringify(data)],
    ].map(csvField);
    if (!this.#everyName) return fields.join(',');
    return nicknames(this.#names, record).then((names) =>
      [...fields, csvField(JSON.stringify(names))].join(','),
    );
  }
}

function csvField(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '';
  const text = escapeControls(String(value));
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
