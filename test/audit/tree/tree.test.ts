import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GrowingTree } from '../../../services/audit/tree/growing-tree.ts';
import { emptyRoot, type Hash, leafHash } from '../../../services/audit/tree/hashes.ts';
import {
  consistencyProof,
  inclusionProof,
  isConsistent,
  rootByInclusion,
  rootOf,
} from '../../../services/audit/tree/proofs.ts';
import {
  bundleBytes,
  hashesIn,
  pathOf,
  type ReadTile,
  subtreesIn,
  tileBytes,
  tileOf,
  tilesOf,
} from '../../../services/audit/tree/tiles.ts';

const hex = (hash: Hash) => Buffer.from(hash).toString('hex');

/** The leaves and roots that implementations of RFC 6962 test each other with. */
const leaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((bytes) => Buffer.from(bytes, 'hex').toString('latin1'));
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

/** A tree of this many leaves with all its tiles, each filled tile's hash in the level above. */
function treeOf(size: number, at?: readonly number[]) {
  const growing = new GrowingTree();
  const hashes: Hash[][] = [];
  const put = (level: number, hash: Hash) => {
    const all = hashes[level] ?? [];
    hashes[level] = all;
    all.push(hash);
  };
  const rootAt = new Map([[0, growing.root()]]);
  for (let index = 0; index < size; index++) {
    const leaf = leafHash(`leaf ${index}`);
    put(0, leaf);
    for (const { level, hash } of growing.append(leaf)) put(level + 1, hash);
    if (at?.includes(index + 1) !== false) rootAt.set(index + 1, growing.root());
  }
  const readTile: ReadTile = async (level, index, width) => {
    const found = (hashes[level] ?? []).slice(index * 256, index * 256 + width);
    if (found.length < width) throw new RangeError(`tile ${level}/${index} has ${found.length} of ${width}`);
    return found;
  };
  return { rootAt, hashes, tree: subtreesIn(readTile) };
}

describe('a Merkle tree', () => {
  test('has the roots of RFC 6962', () => {
    const tree = new GrowingTree();
    const found = [hex(tree.root())];
    for (const leaf of leaves) {
      tree.append(leafHash(leaf));
      found.push(hex(tree.root()));
    }
    expect(found).toEqual(roots);
  });

  test('has the same roots when they are made of its tiles, over several levels of tiles', async () => {
    const size = 66_000;
    const sizes = [0, 1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_793, size];
    const { rootAt, tree } = treeOf(size, sizes);
    for (const at of sizes) {
      expect(hex(await rootOf(tree, at)), `${at}`).toBe(hex(rootAt.get(at) ?? leafHash('')));
    }
  });

  test('proves that any leaf is in it, and no other leaf or place fits the proof', async () => {
    const { rootAt, hashes, tree } = treeOf(700);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 700 }), fc.nat(), fc.nat(), async (size, one, other) => {
        const index = one % size;
        const [leaf, root] = [hashes[0]?.[index] ?? emptyRoot, hex(rootAt.get(size) ?? leafHash(''))];
        const proof = await inclusionProof(tree, index, size);
        expect(hex(rootByInclusion(leaf, index, size, proof) ?? emptyRoot)).toBe(root);
        const elsewhere = other % size;
        if (elsewhere !== index) {
          const moved = rootByInclusion(leaf, elsewhere, size, proof);
          expect(moved && hex(moved)).not.toBe(root);
        }
        expect(rootByInclusion(leaf, index, size, [...proof, leaf])).toBeUndefined();
        if (proof.length > 0) expect(rootByInclusion(leaf, index, size, proof.slice(1))).toBeUndefined();
      }),
    );
  });

  test('proves that an older one is its beginning, and no other is', async () => {
    const { rootAt, tree } = treeOf(700);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 700 }), fc.nat(), async (size, one) => {
        const older = one % (size + 1);
        const [before, after] = [
          { size: older, root: rootAt.get(older) ?? leafHash('') },
          { size, root: rootAt.get(size) ?? leafHash('') },
        ];
        const proof = await consistencyProof(tree, older, size);
        expect(isConsistent(before, after, proof)).toBe(true);
        if (older === 0 || older === size) return;
        expect(isConsistent({ ...before, root: leafHash('another') }, after, proof)).toBe(false);
        expect(isConsistent(before, { ...after, root: leafHash('another') }, proof)).toBe(false);
        expect(isConsistent({ ...before, size: older - 1 }, after, proof)).toBe(
          older - 1 === 0 && proof.length === 0,
        );
        expect(isConsistent(before, after, proof.slice(1))).toBe(false);
        expect(isConsistent(before, after, [...proof, before.root])).toBe(false);
      }),
    );
  });
});

describe('tiles', () => {
  test('are named as C2SP tlog-tiles names them, and their names are read back', () => {
    expect(pathOf({ level: 0, index: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067');
    expect(pathOf({ level: 'entries', index: 0, width: 7 })).toBe('tile/entries/000.p/7');
    for (const name of [...tilesOf(70_000)].slice(-500)) expect(tileOf(pathOf(name))).toEqual(name);
  });

  test.each([
    ...[
      '',
      'tile',
      'tile/0',
      'tile/0/0',
      'tile/00/000',
      'tile/64/000',
      'tile/0/000.p/0',
      'tile/0/000.p/256',
      'tile/0/000.p/300',
    ],
    ...[
      'tile/0/x000/000',
      'tile/0/000.p/07',
      'tile/data/000',
      'tile/0/001/000',
      'tile/0/x001',
      '../tile/0/000',
    ],
    ...['tile/0/x999/x999/x999/x999/x999/x999/999', 'tile/0/000/', 'tile/-1/000'],
  ])('there is none at %j', (path) => {
    expect(tileOf(path)).toBeUndefined();
  });

  test('of 70,000 leaves are those that the specification lists', () => {
    const names = [...tilesOf(70_000)];
    const at = (level: number | 'entries') => names.filter((name) => name.level === level);
    expect(at(0)).toHaveLength(274);
    expect(at(0).at(-1)).toMatchObject({ index: 273, width: 112 });
    expect(at(1).map(({ width }) => width)).toEqual([256, 17]);
    expect(at(2).map(({ width }) => width)).toEqual([1]);
    expect(at(3)).toEqual([]);
    expect(at('entries')).toHaveLength(274);
    expect([...tilesOf(256)].map(pathOf)).toEqual(['tile/0/000', 'tile/1/000.p/1', 'tile/entries/000']);
  });

  test('are the bytes of their hashes, and bundles of entries have two bytes of length before each', () => {
    const hashes = [leafHash('one'), leafHash('two')];
    expect(hashesIn(tileBytes(hashes)).map(hex)).toEqual(hashes.map(hex));
    expect(() => hashesIn(new Uint8Array(33))).toThrow(RangeError);
    expect(bundleBytes(['ab', '泡']).toString('hex')).toBe('000261620003e6b3a1');
  });
});
