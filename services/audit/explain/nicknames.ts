import type { EventMetadata } from '../../../contracts/events/event.ts';
import { Uid } from '../../../contracts/ids.ts';
import { userStream } from '../../domain/user.ts';
import { foldAt } from '../folded-stream.ts';
import type { Moment } from '../moment.ts';
import type { ReadableLog } from '../readable-log.ts';

/** What people are called at a moment, by the log. Each is read once. */
export class Nicknames {
  readonly #log: ReadableLog;
  readonly #moment: Moment;
  readonly #names = new Map<Uid, Promise<string | undefined>>();

  constructor(log: ReadableLog, moment: Moment) {
    this.#log = log;
    this.#moment = moment;
  }

  /** Someone's nickname; undefined if there is no such person. */
  of(uid: Uid): Promise<string | undefined> {
    const known = this.#names.get(uid);
    if (known) return known;
    const read = this.#read(uid);
    this.#names.set(uid, read);
    return read;
  }

  /** `person 9 (猫猫)`. */
  async person(uid: Uid): Promise<string> {
    const nickname = await this.of(uid);
    return nickname === undefined ? `person ${uid}` : `person ${uid} (${nickname})`;
  }

  /** Who caused an event: a person, the server's key and for whom, an operator, or a stranger. */
  async actor({ actor, for: actedFor, operator }: EventMetadata): Promise<string> {
    const uid = /^\d+$/.test(actor) ? Uid.safeParse(Number(actor)).data : undefined;
    if (uid !== undefined) return this.person(uid);
    if (operator !== undefined) return `the operator ${operator}`;
    if (actor === 'nobody') return 'a stranger';
    const person = Uid.safeParse(actedFor).data;
    return person === undefined ? "the server's key" : `the server's key for ${await this.person(person)}`;
  }

  async #read(uid: Uid): Promise<string | undefined> {
    return (await foldAt(this.#log, userStream(uid), this.#moment))?.nickname;
  }
}
