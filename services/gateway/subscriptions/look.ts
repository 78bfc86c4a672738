import type { Gid, Uid } from '../../../contracts/ids.ts';
import { Gathering } from '../../postgres/gathering.ts';
import type { Checkpoint, PushRecord } from '../../pushes/record.ts';
import type { Tail } from './tail.ts';

/** What a subscription begins from: one snapshot of the read models. */
export interface Look {
  readonly checkpoint: Checkpoint;
  /** Where the person joined the group; undefined where they are no member of it, or none was asked for. */
  readonly joinedPlace: string | undefined;
}

/** A person, and a group of which they may be a member. */
type Pair = readonly [Uid, Gid];

/** Looks who is a member, and up to where the read models reach. */
export class Looks {
  readonly #record: PushRecord;
  readonly #tail: Pick<Tail, 'place' | 'epoch'>;
  readonly #gathering: Gathering<Pair | undefined, Look>;

  constructor(record: PushRecord, tail: Pick<Tail, 'place' | 'epoch'>) {
    this.#record = record;
    this.#tail = tail;
    this.#gathering = new Gathering((asked) => this.#lookForAll(asked));
  }

  /** Looks at the checkpoint and, where given, at a person's membership. @throws what the database throws, Error while it is behind the tail. */
  look(pair: Pair | undefined): Promise<Look> {
    return this.#gathering.ask(pair);
  }

  async #lookForAll(asked: readonly (Pair | undefined)[]): Promise<Look[]> {
    const { place, epoch } = this.#tail;
    const pairs = asked.filter((pair) => pair !== undefined);
    const { checkpoint, found } = await this.#record.memberships(
      pairs.map(([uid]) => uid),
      pairs.map(([, gid]) => gid),
    );
    // After a crash the database makes its latest batches again, and nobody is given those a second time.
    if (checkpoint.epoch === epoch && checkpoint.position < place) {
      throw new Error('the read models are behind what was pushed already');
    }
    if (!checkpoint.whole) throw new Error('the read models are being made again from the log');
    const joined = found.values();
    return asked.map((pair) => ({
      checkpoint,
      joinedPlace: pair === undefined ? undefined : joined.next().value?.joinedPlace,
    }));
  }
}
