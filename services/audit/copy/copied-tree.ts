import { GrowingTree } from '../tree/growing-tree.ts';
import { type Hash, leafHash, treeHash } from '../tree/hashes.ts';
import { tileWidth } from '../tree/tiles.ts';
import { textOf, treeEntryOf } from '../tree/tree-entry.ts';
import type { CopiedEvent } from './copied-event.ts';

/** The leaf of an event in the tree over a log. */
export function leafOf(event: CopiedEvent): Hash {
  return leafHash(textOf(treeEntryOf(event)));
}

/** The tree over the events of a copy, with the hashes of its tiles, which tell where two copies differ. */
export class CopiedTree {
  readonly #tree = new GrowingTree();
  readonly #full: Hash[] = [];
  #rest: Hash[] = [];
  readonly #sizes: ReadonlySet<number>;
  readonly #roots = new Map<number, Hash>();

  /** @param sizes numbers of events, after each of which the root is kept */
  constructor(sizes: Iterable<number> = []) {
    this.#sizes = new Set(sizes);
  }

  get size(): number {
    return this.#tree.size;
  }

  append(leaf: Hash): void {
    this.#rest.push(leaf);
    const [full] = this.#tree.append(leaf);
    if (full) {
      this.#full.push(full.hash);
      this.#rest = [];
    }
    if (this.#sizes.has(this.size)) this.#roots.set(this.size, this.root());
  }

  root(): Hash {
    return this.#tree.root();
  }

  /** The root of the first events, if their number was named before. */
  rootAt(size: number): Hash | undefined {
    return this.#roots.get(size);
  }

  /** The hash of each tile of 256 events, the last of which may have fewer. */
  tiles(): Hash[] {
    return this.#rest.length === 0 ? [...this.#full] : [...this.#full, treeHash(this.#rest)];
  }
}

/** The number of the first event of a tile, and of the last one that it has at most. */
export function eventsOfTile(index: number): { readonly first: number; readonly last: number } {
  return { first: index * tileWidth, last: (index + 1) * tileWidth - 1 };
}
