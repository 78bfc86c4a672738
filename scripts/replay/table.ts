import { Gid, Uid } from '../../contracts/ids.ts';
import type { CurrentNames } from '../../services/audit/events/names.ts';
import { type Naming, sentenceOf } from '../../services/audit/events/words.ts';
import { causesOf, type Entry, entryOf } from '../../services/audit/index/entry.ts';
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

  line(record: RecordedEvent, skipped: string | undefined): string | Promise<string> {
    const event = decodeUncached(record);
    const { uid, words } = causerOf(record);
    const nickname = uid === undefined ? null : this.#names.ofPerson(uid);
    const lineWith = (called: string | null, naming: Naming) => {
      const who = uid === undefined ? words : `${words}${named(String(uid), called)}`;
      return lineOf(record, event, who, naming, skipped);
    };
    if (!this.#everyName && !(nickname instanceof Promise)) return lineWith(nickname, plain);
    const naming = this.#everyName ? this.#naming(entryOf(record, event)) : plain;
    return Promise.all([nickname, naming]).then(([called, names]) => lineWith(called, names));
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

/** The columns of an event. */
function lineOf(
  record: RecordedEvent,
  event: ReturnType<typeof decodeUncached>,
  who: string,
  naming: Naming,
  skipped: string | undefined,
): string {
  const { position, recorded, stream, revision, type, data } = record;
  const time = localTime(recorded).padEnd(timeWidth);
  const where = `${stream}@${revision}`.padEnd(whereWidth);
  const what = event instanceof UnreadableEvent ? JSON.stringify(data) : sentenceOf(event, naming);
  const note = skipped === undefined ? '' : ` [skipped: ${JSON.stringify(skipped)}]`;
  // One template: to join a list of columns takes twice as long, for each of millions of lines.
  return escapeControls(
    `${time}  ${padded(who, whoWidth)}  ${where}  ${type.padEnd(typeWidth)}  ${what}  [${position}]${note}`,
  );
}

/** Who caused an event: a person, after these words. */
interface Causer {
  readonly uid: Uid | undefined;
  readonly words: string;
}

/** Who caused it; of the server's key, for whom. */
function causerOf(record: RecordedEvent): Causer {
  const causes = causesOf(record);
  const uid = actingUid(causes);
  if (uid !== undefined) return { uid, words: '' };
  const { operator } = record.metadata;
  if (typeof operator === 'string') return { uid: undefined, words: operator };
  const { actor, actedFor } = causes;
  const acted = actor === 'server' ? Uid.safeParse(actedFor).data : undefined;
  return acted === undefined ? { uid: acted, words: actor ?? '?' } : { uid: acted, words: 'server for ' };
}

const plain: Naming = { person: (uid) => `person ${uid}`, group: (gid) => `group ${gid}` };

function named(id: string, name: string | null | undefined): string {
  return name === null || name === undefined ? id : `${id} (${name})`;
}

/** Characters that take two columns. */
const wideCharacters = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/g;

/** Pads a text to a width of columns, of which a Chinese character takes two. */
function padded(text: string, width: number): string {
  const wide = text.match(wideCharacters);
  return text.padEnd(width - (wide?.length ?? 0));
}
