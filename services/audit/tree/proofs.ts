import { emptyRoot, type Hash, nodeHash, sameHash } from './hashes.ts';

/** Gives the hashes of a tree's complete subtrees: of the leaves from `index << height`, `1 << height` of them. */
export interface Subtrees {
  subtree(height: number, index: number): Promise<Hash>;
}

/** A range of leaves that a proof names: from `first` up to, but not including, `end`. */
interface Range {
  readonly first: number;
  readonly end: number;
}

/** The greatest power of two that is less than `count`, which is 2 at least. */
function split(count: number): number {
  return 2 ** Math.ceil(Math.log2(count) - 1);
}

/** The hash of a range that begins where a tree splits. */
async function rangeHash(tree: Subtrees, { first, end }: Range): Promise<Hash> {
  const count = end - first;
  const height = Math.log2(count);
  if (Number.isInteger(height)) return tree.subtree(height, first / count);
  const middle = first + split(count);
  const left = await rangeHash(tree, { first, end: middle });
  return nodeHash(left, await rangeHash(tree, { first: middle, end }));
}

/** The root of the tree's first `size` leaves. */
export async function rootOf(tree: Subtrees, size: number): Promise<Hash> {
  return size === 0 ? emptyRoot : rangeHash(tree, { first: 0, end: size });
}

/** The ranges of an inclusion proof (RFC 6962, 2.1.1), from the leaf's sibling up. */
function inclusionRanges(index: number, { first, end }: Range): Range[] {
  if (end - first === 1) return [];
  const middle = first + split(end - first);
  return index < middle
    ? [...inclusionRanges(index, { first, end: middle }), { first: middle, end }]
    : [...inclusionRanges(index, { first: middle, end }), { first, end: middle }];
}

/**
 * Proves that a leaf is in the tree of the first `size` leaves.
 * @throws RangeError if it is not
 */
export function inclusionProof(tree: Subtrees, index: number, size: number): Promise<Hash[]> {
  if (index < 0 || index >= size) throw new RangeError(`leaf ${index} is not in a tree of ${size}`);
  return Promise.all(inclusionRanges(index, { first: 0, end: size }).map((range) => rangeHash(tree, range)));
}

/** The ranges of a consistency proof (RFC 6962, 2.1.2). `whole`: whether the older tree is all of this one so far. */
function consistencyRanges(older: number, { first, end }: Range, whole: boolean): Range[] {
  if (older === end) return whole ? [] : [{ first, end }];
  const middle = first + split(end - first);
  return older <= middle
    ? [...consistencyRanges(older, { first, end: middle }, whole), { first: middle, end }]
    : [...consistencyRanges(older, { first: middle, end }, false), { first, end: middle }];
}

/**
 * Proves that the tree of the first `older` leaves is a beginning of that of the first `size`.
 * @throws RangeError if `older` is not between 0 and `size`
 */
export function consistencyProof(tree: Subtrees, older: number, size: number): Promise<Hash[]> {
  if (older < 0 || older > size) throw new RangeError(`a tree of ${older} is no beginning of one of ${size}`);
  if (older === 0 || older === size) return Promise.resolve([]);
  const ranges = consistencyRanges(older, { first: 0, end: size }, true);
  return Promise.all(ranges.map((range) => rangeHash(tree, range)));
}

/** The root that an inclusion proof leads to from a leaf's hash; undefined if the proof is too short or too long. */
export function rootByInclusion(
  leaf: Hash,
  index: number,
  size: number,
  proof: readonly Hash[],
): Hash | undefined {
  if (!(index >= 0 && index < size)) return undefined;
  let [hash, position, last] = [leaf, index, size - 1];
  for (const sibling of proof) {
    if (last === 0) return undefined;
    if (position % 2 === 1 || position === last) {
      hash = nodeHash(sibling, hash);
      // A node without a right sibling is passed up as it is.
      while (position % 2 === 0 && position !== 0) {
        position = Math.floor(position / 2);
        last = Math.floor(last / 2);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hash : undefined;
}

interface Tree {
  readonly size: number;
  readonly root: Hash;
}

/** Whether a consistency proof shows that `older` is a beginning of `newer`. */
export function isConsistent(older: Tree, newer: Tree, proof: readonly Hash[]): boolean {
  if (older.size > newer.size) return false;
  if (older.size === newer.size) return proof.length === 0 && sameHash(older.root, newer.root);
  if (older.size === 0) return proof.length === 0;
  let [position, last] = [older.size - 1, newer.size - 1];
  while (position % 2 === 1) [position, last] = [Math.floor(position / 2), Math.floor(last / 2)];
  // An older tree that is a complete subtree of the newer one is where the proof begins.
  const [first, ...others] = position === 0 ? [older.root, ...proof] : proof;
  if (first === undefined) return false;
  let [oldHash, newHash] = [first, first];
  for (const sibling of others) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
      while (position % 2 === 0 && position !== 0) {
        [position, last] = [Math.floor(position / 2), Math.floor(last / 2)];
      }
    } else {
      newHash = nodeHash(newHash, sibling);
    }
    [position, last] = [Math.floor(position / 2), Math.floor(last / 2)];
  }
  return last === 0 && sameHash(oldHash, older.root) && sameHash(newHash, newer.root);
}
