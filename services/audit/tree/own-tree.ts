import { categories } from '../../../contracts/events/index.ts';
import type { EventLog, Position } from '../../log/log.ts';
import type { Database } from '../../postgres/database.ts';
import { inTransaction } from '../../postgres/transaction.ts';
import type { Checkpoint } from './checkpoint.ts';
import { sameHash } from './hashes.ts';
import { TreeStore } from './tree-store.ts';

/** A head that is kept elsewhere is of another log than this one is now. */
export class Contradiction extends Error {
  override readonly name = 'Contradiction';
}

export interface OwnTreeOptions {
  readonly log: Pick<EventLog, 'end'>;
  readonly database: Database;
  /** The name of the follower that makes the tree. */
  readonly follower: string;
}

/** The tree over the log, which heads that are kept elsewhere are held against. */
export class OwnTree {
  readonly #options: OwnTreeOptions;
  /** The end of the log when the tree was first found too short: under load the tree never has all up to the end of now. */
  #end: Position | undefined;

  constructor(options: OwnTreeOptions) {
    this.#options = options;
  }

  /**
   * Holds a head that is kept elsewhere against the log.
   * @param where that is, for the error: as `the witness`
   * @param root undefined if only the size of the head is known
   * @throws Contradiction; Error if the audit has not come so far yet; LogFailure; what `pg` throws
   */
  async mustHold(
    where: string,
    { size, root }: Pick<Checkpoint, 'size'> & Partial<Checkpoint>,
  ): Promise<void> {
    // Before the tree, which may be made further meanwhile.
    const now = await this.#options.log.end(categories);
    const { own, position, ownRoot } = await this.#upTo(size);
    if (own < size) {
      this.#end ??= now;
      const lacks = `${where} has a head of ${size} events, and`;
      if (position === undefined || (position < now && position < this.#end))
        throw new Error(`${lacks} ${own} are audited so far`);
      throw new Contradiction(`${lacks} the log has ${own}: the log lost events, or was set back`);
    }
    this.#end = undefined;
    if (root && ownRoot && !sameHash(ownRoot, root)) throw notOfLog(where, size);
  }

  /** How many events the tree has and up to which position it was made, and the root of the first `size` events. */
  async #upTo(size: number) {
    const { database, follower } = this.#options;
    const client = await database.connect();
    const read = async () => {
      const store = new TreeStore(client);
      const own = await store.size();
      const { rows } = await client.query<{ position: Position }>(
        'select position from followers.checkpoint where name = $1',
        [follower],
      );
      return { own, position: rows[0]?.position, ownRoot: own < size ? undefined : await store.root(size) };
    };
    try {
      // Not of two states of the tree, which may be made again at any time.
      return await inTransaction(client, read, 'begin isolation level repeatable read');
    } finally {
      client.release();
    }
  }
}

/** What is wrong if the log has as many events as a head that is kept elsewhere, or more, and others. */
export function notOfLog(where: string, size: number): Contradiction {
  return new Contradiction(
    `${where} has a head of the first ${size} events, and those of the log are others: the log was changed, or was set back and went on`,
  );
}
