import type { Gid, Uid } from '../../contracts/ids.ts';
import type { Checkpoint, PushRecord } from './record.ts';
import type { Tail } from './tail.ts';

/** What a subscription begins from: one snapshot of the read models. */
export interface Look {
  readonly checkpoint: Checkpoint;
  /** Where the person joined the group; undefined where they are no member of it, or none was asked for. */
  readonly joinedPlace: string | undefined;
}

type Waiting = PromiseWithResolvers<Look> & { readonly pair: readonly [Uid, Gid] | undefined };

const mostAtOnce = 500;

/**
 * Looks who is a member, and where the read models stand. What is asked for while one query is
 * under way goes together in the next, so that a thousand sockets that come back are a few queries.
 */
export class Looks {
  readonly #record: PushRecord;
  readonly #tail: Pick<Tail, 'place' | 'epoch'>;
  #waiting: Waiting[] = [];
  #looking = false;

  constructor(record: PushRecord, tail: Pick<Tail, 'place' | 'epoch'>) {
    this.#record = record;
    this.#tail = tail;
  }

  /** Looks at the checkpoint and, where given, at a person's membership. @throws what the database throws, Error while it is behind the tail. */
  look(pair: readonly [Uid, Gid] | undefined): Promise<Look> {
    const waiting: Waiting = { ...Promise.withResolvers<Look>(), pair };
    this.#waiting.push(waiting);
    if (!this.#looking) void this.#lookForAll();
    return waiting.promise;
  }

  async #lookForAll(): Promise<void> {
    this.#looking = true;
    while (this.#waiting.length > 0) {
      const asked = this.#waiting.splice(0, mostAtOnce);
      try {
        await this.#answer(asked);
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
    this.#looking = false;
  }

  async #answer(asked: readonly Waiting[]): Promise<void> {
    const { place, epoch } = this.#tail;
    const pairs = asked.flatMap(({ pair }) => (pair === undefined ? [] : [pair]));
    const { checkpoint, found } = await this.#record.memberships(
      pairs.map(([uid]) => uid),
      pairs.map(([, gid]) => gid),
    );
    // After a crash the database makes its latest batches again, and nobody is given those a second time.
    if (checkpoint.epoch === epoch && checkpoint.position < place) {
      throw new Error('the read models are behind what was pushed already');
    }
    const joined = found.values();
    for (const { pair, resolve } of asked) {
      const joinedPlace = pair === undefined ? undefined : joined.next().value?.joinedPlace;
      resolve({ checkpoint, joinedPlace });
    }
  }
}
