import { hash } from 'node:crypto';

/** A SHA-256, 32 bytes. */
export type Hash = Uint8Array;

export const hashBytes = 32;

/** By way of a text, since Node takes twice as long to make a buffer of its own for each hash. */
function sha256(data: string | Uint8Array): Hash {
  return Buffer.from(hash('sha256', data, 'latin1'), 'latin1');
}

/** The root of a tree without leaves. */
export const emptyRoot: Hash = sha256('');

/** The hash of a leaf, a text in UTF-8 (RFC 6962, 2.1): a 0 comes before it, so that it never passes for a node. */
export function leafHash(leaf: string): Hash {
  return sha256(`\0${leaf}`);
}

const node = new Uint8Array(1 + 2 * hashBytes);

/** The hash of a node with two children (RFC 6962, 2.1): a 1 comes before them. */
export function nodeHash(left: Hash, right: Hash): Hash {
  node[0] = 1;
  node.set(left, 1);
  node.set(right, 1 + hashBytes);
  return sha256(node);
}

/** The hash of the tree over some hashes, one at least; a last one without a sibling is passed up as it is. */
export function treeHash(hashes: readonly Hash[]): Hash {
  let level = hashes;
  while (level.length > 1) {
    const above: Hash[] = [];
    for (let index = 0; index < level.length; index += 2) {
      const [left, right] = [level[index], level[index + 1]];
      if (left) above.push(right ? nodeHash(left, right) : left);
    }
    level = above;
  }
  const [root] = level;
  if (!root) throw new RangeError('no hashes');
  return root;
}

/** Whether two hashes are the same. */
export function sameHash(one: Hash, other: Hash): boolean {
  return Buffer.compare(one, other) === 0;
}
