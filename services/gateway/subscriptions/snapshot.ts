import type { Gid, Uid } from '../../../contracts/ids.ts';
import { Batcher } from '../../postgres/batcher.ts';
import type { Checkpoint } from '../../pushes/checkpoint.ts';
import type { PushStore } from '../../pushes/push-store.ts';
import type { PushFeed } from './push-feed.ts';

/** The state of the read models from which a subscription begins, of one database snapshot. */
export interface Snapshot {
  readonly checkpoint: Checkpoint;
  /** The position at which the person joined the group; undefined if they are no member, or no group was asked for. */
  readonly joinedPosition: string | undefined;
}

/** A person, and a group of which they may be a member. */
type Pair = readonly [Uid, Gid];

/** Reads snapshots: those asked for at the same time in one query. */
export class Snapshots {
  readonly #pushStore: PushStore;
  readonly #pushFeed: Pick<PushFeed, 'position' | 'epoch'>;
  readonly #batcher: Batcher<Pair | undefined, Snapshot>;

  constructor(pushStore: PushStore, pushFeed: Pick<PushFeed, 'position' | 'epoch'>) {
    this.#pushStore = pushStore;
    this.#pushFeed = pushFeed;
    this.#batcher = new Batcher((pairs) => this.#readAll(pairs));
  }

  /**
   * Reads the checkpoint and, if a pair is given, that membership.
   * @throws what the database throws, and Error while the read models are behind the feed or are being rebuilt
   */
  read(pair: Pair | undefined): Promise<Snapshot> {
    return this.#batcher.ask(pair);
  }

  async #readAll(requests: readonly (Pair | undefined)[]): Promise<Snapshot[]> {
    const { position, epoch } = this.#pushFeed;
    const pairs = requests.filter((pair) => pair !== undefined);
    const { checkpoint, found } = await this.#pushStore.memberships(
      pairs.map(([uid]) => uid),
      pairs.map(([, gid]) => gid),
    );
    // A database that crashed makes its last batches again; the feed, which has delivered them, does not repeat them.
    if (checkpoint.epoch === epoch && checkpoint.position < position) {
      throw new Error('the read models are behind the pushes that were delivered');
    }
    if (!checkpoint.whole) throw new Error('the read models are being rebuilt from the log');
    const memberships = found.values();
    return requests.map((pair) => ({
      checkpoint,
      joinedPosition: pair === undefined ? undefined : memberships.next().value?.joinedPosition,
    }));
  }
}
