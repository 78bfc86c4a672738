import type { Checkpoint } from './checkpoint.ts';
import type { ComingHeads } from './coming-heads.ts';
import type { Difference } from './difference.ts';
import { type FullTile, GrowingTree } from './growing-tree.ts';
import { type Hash, leafHash, sameHash } from './hashes.ts';
import { type Head, isHeadSignedBy } from './heads.ts';
import type { NoteVerifier } from './note.ts';
import { tileWidth } from './tiles.ts';
import { type TreeEntry, textOf } from './tree-entry.ts';
import type { TreeStore } from './tree-store.ts';

export interface ComparedTreeOptions {
  /** Where the stored tiles are. */
  readonly store: TreeStore;
  readonly heads: ComingHeads;
  /** By whose key stored heads must be signed; undefined: their signatures are not verified. */
  readonly verifier: NoteVerifier | undefined;
  /** How many events the stored tree is of. */
  readonly audited: number;
}

/** The tree of a log as it is made anew, page by page: compared with every head on the way, and with the stored tiles. */
export class ComparedTree {
  readonly #options: ComparedTreeOptions;
  readonly #tree = new GrowingTree();
  #fitting = 0;
  #signed = 0;
  /** The first stored tile that is not that of the events that it is of. */
  #doubtful: Range | undefined;

  constructor(options: ComparedTreeOptions) {
    this.#options = options;
  }

  /** How many events it has so far. */
  get size(): number {
    return this.#tree.size;
  }

  /** Of the events so far. */
  root(): Hash {
    return this.#tree.root();
  }

  /** How many heads fitted so far. */
  get fitting(): number {
    return this.#fitting;
  }

  /** How many events the last of them has; 0 if there is none. */
  get signed(): number {
    return this.#signed;
  }

  /** Adds a page to the tree, and compares that with every head on the way, and with the stored tiles. @throws what `pg` throws */
  async grow(page: readonly TreeEntry[]): Promise<Difference | undefined> {
    const full: FullTile[] = [];
    let head = await this.#options.heads.peek();
    for (const entry of page) {
      full.push(...this.#tree.append(leafHash(textOf(entry))));
      while (head?.size === this.#tree.size) {
        if (!this.#isSigned(head)) return notSigned(head);
        if (!sameHash(head.root, this.#tree.root())) {
          const from = this.#signed;
          const range = this.#doubtful ?? (await this.#changedTile(full)) ?? { from, to: head.size };
          return { kind: 'not the same', ...range };
        }
        this.#fitting++;
        this.#signed = head.size;
        await this.#options.heads.pass(head);
        head = await this.#options.heads.peek();
      }
    }
    this.#doubtful ??= await this.#changedTile(full);
    // Until a head was signed for these events, it may be the log that was changed, and the index like it.
    return this.#doubtful && this.#doubtful.to <= this.#signed
      ? { kind: 'tree changed', what: tileFault(this.#doubtful) }
      : undefined;
  }

  /**
   * What is left after the last page: heads of more events than the log has, and tiles for which no head was signed.
   * @throws what `pg` throws
   */
  async comparePending(): Promise<Difference | undefined> {
    if (this.#doubtful) return { kind: 'not the same', ...this.#doubtful };
    const head = await this.#options.heads.peek();
    if (head === undefined) return undefined;
    return this.#isSigned(head) ? { kind: 'not the same', from: this.size, to: head.size } : notSigned(head);
  }

  /**
   * Whether a head that was signed for the event at `offset` of the next page fits what the log has; undefined if there is
   * none among the heads that are for events of this page.
   * @throws what `pg` throws
   */
  async isSignedSo(page: readonly TreeEntry[], offset: number): Promise<boolean | undefined> {
    const first = this.size;
    const tree = this.#tree.copy();
    for (;;) {
      const head = await this.#options.heads.peek();
      if (head === undefined || head.size > first + page.length) return undefined;
      for (const entry of page.slice(tree.size - first, head.size - first))
        tree.append(leafHash(textOf(entry)));
      // What nobody signed says nothing of the log.
      if (this.#isSigned(head)) {
        const fits = sameHash(head.root, tree.root());
        if (!fits || head.size > first + offset) return fits;
      }
      await this.#options.heads.pass(head);
    }
  }

  /** Whether the key of the log has signed a head; the signatures of kept ones are verified already. */
  #isSigned(head: Checkpoint | Head): boolean {
    const { verifier } = this.#options;
    return verifier === undefined || !('note' in head) || isHeadSignedBy(head, verifier);
  }

  /** The first of some full tiles that is stored otherwise, or not at all while its events are audited. */
  async #changedTile(full: readonly FullTile[]): Promise<Range | undefined> {
    for (const level of new Set(full.map((tile) => tile.level))) {
      const tiles = full.filter((tile) => tile.level === level);
      const events = tileWidth ** (level + 1);
      const stored = await this.#options.store.storedTiles(level, tiles[0]?.index ?? 0, tiles.length);
      const changed = tiles.find(({ hash, index }) => {
        const kept = stored.get(index);
        return kept === undefined ? (index + 1) * events <= this.#options.audited : !sameHash(kept, hash);
      });
      if (changed) return { from: changed.index * events, to: (changed.index + 1) * events };
    }
    return undefined;
  }
}

function notSigned({ origin, size }: Checkpoint): Difference {
  return { kind: 'head not signed', origin, size };
}

/** Events from number `from` up to, but not including, `to`. */
interface Range {
  readonly from: number;
  readonly to: number;
}

function tileFault({ from, to }: Range): string {
  return `the log has what was signed, and the hash of the events from ${from} to ${to - 1} is another or is missing`;
}
