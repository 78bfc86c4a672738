import type { GreatestIds } from '../accounts/ids.ts';
import type { RecordedEvent } from '../log/log.ts';

/** Under which names events hold ids that come from a sequence; one event may hold many, in lists. */
const fields: ReadonlyMap<string, keyof GreatestIds> = new Map([
  ['mid', 'mid'],
  ['noticeMid', 'mid'],
  ['applicationId', 'applicationId'],
  ['rid', 'replyId'],
]);

const streamOfUser = /^user-(\d+)$/;

/**
 * The greatest ids that this process has seen in the log. They only grow: an id that was given once, in a
 * log that was lost since, is not given again. Data are looked at as they lie in the log, so that events of
 * a newer program count too.
 */
export class UsedIds {
  readonly #greatest = { uid: 0, applicationId: 0, replyId: 0, mid: 0 };
  /** Ids from here on are no sequence's, and do not count. */
  readonly #end: number;

  constructor(end: number) {
    this.#end = end;
  }

  /** What was seen so far; 0 where there was none. */
  get greatest(): GreatestIds {
    return { ...this.#greatest };
  }

  take({ stream, data }: Pick<RecordedEvent, 'stream' | 'data'>): void {
    const [, uid] = streamOfUser.exec(stream) ?? [];
    if (uid !== undefined) this.#use('uid', Number(uid));
    this.#look(data);
  }

  /** Takes in what is known from elsewhere. */
  include(greatest: GreatestIds): void {
    Object.assign(this.#greatest, greaterIds(this.#greatest, greatest));
  }

  #look(value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, inner] of Object.entries(value)) {
      const sequence = fields.get(name);
      if (sequence !== undefined && typeof inner === 'number') this.#use(sequence, inner);
      else this.#look(inner);
    }
  }

  #use(sequence: keyof GreatestIds, id: number): void {
    if (id > this.#greatest[sequence] && id < this.#end) this.#greatest[sequence] = id;
  }
}

/** The greater of each. */
export function greaterIds(one: GreatestIds, other: GreatestIds): GreatestIds {
  return {
    uid: Math.max(one.uid, other.uid),
    applicationId: Math.max(one.applicationId, other.applicationId),
    replyId: Math.max(one.replyId, other.replyId),
    mid: Math.max(one.mid, other.mid),
  };
}
