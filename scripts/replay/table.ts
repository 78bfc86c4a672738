import { Gid, Uid } from '../../contracts/ids.ts';
import type { CurrentNames } from '../../services/audit/events/names.ts';
import { type Naming, sentenceOf } from '../../services/audit/events/words.ts';
import { type Entry, entryOf } from '../../services/audit/index/entry.ts';
import { localTime } from '../../services/audit/local-time.ts';
import { decodeUncached, UnreadableEvent } from '../../services/log/codec.ts';
import type { RecordedEvent } from '../../services/log/log.ts';
import { escapeControls } from '../cli/output.ts';
import { actingUid } from './nicknames.ts';

const [timeWidth, whoWidth, whereWidth, typeWidth] = [26, 20, 28, 17];

/** Lines for people: when, who, where and what. */
export class Table {
  readonly heading = `${[
    ...['time'.padEnd(timeWidth), 'who'.padEnd(whoWidth), 'where'.padEnd(whereWidth)],
    ...['type'.padEnd(typeWidth), 'what', '[position]'],
  ].join('  ')}\n`;
  readonly #names: CurrentNames;
  readonly #everyName: boolean;

  /** @param everyName whether names are shown in sentences too, not only of the one who caused the event */
  constructor(names: CurrentNames, everyName: boolean) {
    this.#names = names;
    this.#everyName = everyName;
  }

  async line(record: RecordedEvent, skipped: string | undefined): Promise<string> {
    const { position, recorded, stream, revision, type, data } = record;
    const event = decodeUncached(record);
    const entry = entryOf(record, event);
    const columns = [
      localTime(recorded).padEnd(timeWidth),
      padded(await this.#who(entry), whoWidth),
      `${stream}@${revision}`.padEnd(whereWidth),
      type.padEnd(typeWidth),
      event instanceof UnreadableEvent
        ? JSON.stringify(data)
        : sentenceOf(event, this.#everyName ? await this.#naming(entry) : plain),
      `[${position}]`,
    ];
    const note = skipped === undefined ? '' : ` [skipped: ${JSON.stringify(skipped)}]`;
    return escapeControls(columns.join('  ') + note);
  }

  /** Who caused it, with the nickname; of the server's key, for whom. */
  async #who(entry: Entry): Promise<string> {
    const uid = actingUid(entry);
    if (uid !== undefined) return this.#person(uid);
    const { actor, actedFor } = entry;
    const acted = Uid.safeParse(actedFor).data;
    if (actor !== 'server' || acted === undefined) return actor ?? '?';
    return `server for ${await this.#person(acted)}`;
  }

  async #person(uid: Uid): Promise<string> {
    const nickname = await this.#names.ofPerson(uid);
    return nickname === null ? String(uid) : `${uid} (${nickname})`;
  }

  /** The names of all whom an event is about, read before the sentence is made. */
  async #naming({ people, conversation }: Entry): Promise<Naming> {
    const gid = conversation?.startsWith('g') ? Gid.parse(Number(conversation.slice(1))) : undefined;
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

/** Pads a text to a width of columns, of which a Chinese character takes two. */
function padded(text: string, width: number): string {
  const wide = text.match(
    /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/g,
  );
  return text + ' '.repeat(Math.max(0, width - text.length - (wide?.length ?? 0)));
}
