import type { GreatestIds } from '../accounts/ids.ts';
import type { RecordedEvent } from '../log/log.ts';

/** The properties of events that contain ids of a sequence, and which. One event may contain many, in lists. */
const fields: ReadonlyMap<string, keyof GreatestIds> = new Map([
  ['mid', 'mid'],
  ['noticeMid', 'mid'],
  ['applicationId', 'applicationId'],
  ['rid', 'replyId'],
]);

const streamOfUser = /^user-(\d+)$/;

/**
 * The greatest ids that this process has seen in the log. They only grow, so an id that was used in a part of the
 * log that is now lost is not used again. Raw data are searched, so that events of a newer program count too.
 */
export class UsedIds {
  readonly #greatest = { uid: 0, applicationId: 0, replyId: 0, mid: 0 };
  /** Ids from here on do not come from a sequence, and are ignored. */
  readonly #end: number;

  constructor(end: number) {
    this.#end = end;
  }

  /** The greatest of each kind so far; 0 if there was none. */
  get greatest(): GreatestIds {
    return { ...this.#greatest };
  }

  /** Includes the ids of an event. */
  apply({ stream, data }: Pick<RecordedEvent, 'stream' | 'data'>): void {
    const [, uid] = streamOfUser.exec(stream) ?? [];
    if (uid !== undefined) this.#use('uid', Number(uid));
    this.#search(data);
  }

  /** Includes ids that are known from elsewhere. */
  include(greatest: GreatestIds): void {
    Object.assign(this.#greatest, greaterIds(this.#greatest, greatest));
  }

  #search(value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, inner] of Object.entries(value)) {
      const sequence = fields.get(name);
      if (sequence !== undefined && typeof inner === 'number') this.#use(sequence, inner);
      else this.#search(inner);
    }
  }

  #use(sequence: keyof GreatestIds, id: number): void {
    if (id > this.#greatest[sequence] && id < this.#end) this.#greatest[sequence] = id;
  }
}

/** The greater of the two, for each kind. */
export function greaterIds(one: GreatestIds, other: GreatestIds): GreatestIds {
  return {
    uid: Math.max(one.uid, other.uid),
    applicationId: Math.max(one.applicationId, other.applicationId),
    replyId: Math.max(one.replyId, other.replyId),
    mid: Math.max(one.mid, other.mid),
  };
}
