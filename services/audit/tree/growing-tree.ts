import { emptyRoot, type Hash, treeHash } from './hashes.ts';
import { tileWidth } from './tiles.ts';

/** A tile that has become full, by its hash, which is in the level above. */
export interface FullTile {
  readonly level: number;
  readonly index: number;
  readonly hash: Hash;
}

/** A tree that grows by one leaf at a time, of which only the unfinished tiles are in memory. */
export class GrowingTree {
  #size: number;
  /** The hashes of the unfinished tile of each level. */
  readonly #levels: Hash[][];

  /** @param levels the unfinished tile of each level in a tree of this size; by default an empty tree */
  constructor(size = 0, levels: readonly (readonly Hash[])[] = []) {
    this.#size = size;
    this.#levels = levels.map((hashes) => [...hashes]);
  }

  /** How many leaves there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds a leaf by its hash. @returns the tiles that this fills, the lowest first */
  append(leaf: Hash): FullTile[] {
    this.#size++;
    const full: FullTile[] = [];
    let hash = leaf;
    for (let level = 0; ; level++) {
      const hashes = this.#levels[level] ?? [];
      this.#levels[level] = hashes;
      hashes.push(hash);
      if (hashes.length < tileWidth) return full;
      hash = treeHash(hashes);
      full.push({ level, index: this.#size / tileWidth ** (level + 1) - 1, hash });
      this.#levels[level] = [];
    }
  }

  /** The root of all leaves so far. */
  root(): Hash {
    let below: Hash | undefined;
    for (const hashes of this.#levels) {
      const all = below ? [...hashes, below] : hashes;
      if (all.length > 0) below = treeHash(all);
    }
    return below ?? emptyRoot;
  }

  /** Another tree of the same leaves, which grows by itself. */
  copy(): GrowingTree {
    return new GrowingTree(this.#size, this.#levels);
  }
}
