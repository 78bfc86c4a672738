import { type Hash, hashBytes, treeHash } from './hashes.ts';
import type { Subtrees } from './proofs.ts';

/** How many hashes a tile holds at most: it is a subtree of height 8. */
export const tileWidth = 256;
const tileHeight = 8;

/** The greatest level of a tile. */
const maxLevel = 63;

/** A tile as C2SP tlog-tiles names it. */
export interface TileName {
  /** `entries`: the leaves themselves, of the tile of level 0 with this index. */
  readonly level: number | 'entries';
  readonly index: number;
  /** How many hashes or entries it has: fewer than 256 in the last tile of its level. */
  readonly width: number;
}

/** The tiles of a tree of `size` leaves, level by level; those of the entries last. */
export function* tilesOf(size: number): Generator<TileName> {
  for (let [level, count] = [0, size]; count > 0; level++, count = Math.floor(count / tileWidth)) {
    yield* tilesOfLevel(level, count);
  }
  yield* tilesOfLevel('entries', size);
}

function* tilesOfLevel(level: TileName['level'], count: number): Generator<TileName> {
  for (let index = 0; index * tileWidth < count; index++) {
    yield { level, index, width: Math.min(tileWidth, count - index * tileWidth) };
  }
}

/** A tile's path under the log's address: `tile/0/x001/x234/067.p/5`. */
export function pathOf({ level, index, width }: TileName): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0');
  const groups = digits.match(/\d{3}/g) ?? [];
  const last = groups.length - 1;
  const parts = groups.map((group, place) => (place === last ? group : `x${group}`));
  return `tile/${level}/${parts.join('/')}${width === tileWidth ? '' : `.p/${width}`}`;
}

const path = /^tile\/(\d{1,2}|entries)\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/;

/** The tile of a path; undefined if there is none of that name. */
export function tileOf(text: string): TileName | undefined {
  const [, level = '', groups = '', width = String(tileWidth)] = path.exec(text) ?? [];
  const name = {
    level: level === 'entries' ? level : Number(level),
    index: Number(groups.replaceAll(/[x/]/g, '')),
    width: Number(width),
  } as const;
  const fits =
    level !== '' &&
    name.width > 0 &&
    name.width <= tileWidth &&
    (name.level === 'entries' || name.level <= maxLevel) &&
    Number.isSafeInteger(name.index * tileWidth);
  // Numbers have one form each.
  return fits && pathOf(name) === text ? name : undefined;
}

/** Gives the first hashes of a tile. @throws RangeError if the tree has not that many */
export type ReadTile = (level: number, index: number, width: number) => Promise<readonly Hash[]>;

/** The subtrees of a tree that is kept in tiles. */
export function subtreesIn(readTile: ReadTile): Subtrees {
  return {
    async subtree(height, index) {
      const count = 2 ** (height % tileHeight);
      const first = index * count;
      const offset = first % tileWidth;
      const level = Math.floor(height / tileHeight);
      const hashes = await readTile(level, Math.floor(first / tileWidth), offset + count);
      return treeHash(hashes.slice(offset, offset + count));
    },
  };
}

/** The bytes of a tile's hashes. */
export function tileBytes(hashes: readonly Hash[]): Buffer {
  return Buffer.concat(hashes);
}

/** The hashes in a tile's bytes. @throws RangeError if they are not whole */
export function hashesIn(bytes: Uint8Array): Hash[] {
  if (bytes.length % hashBytes !== 0) throw new RangeError(`a tile of ${bytes.length} bytes`);
  return Array.from({ length: bytes.length / hashBytes }, (_, index) =>
    bytes.subarray(index * hashBytes, (index + 1) * hashBytes),
  );
}

/** How many bytes an entry may have. */
export const maxEntryBytes = 0xffff;

/**
 * The bytes of a bundle of entries: each with its length before it, in two bytes.
 * @throws RangeError if an entry is longer than `maxEntryBytes`
 */
export function bundleBytes(entries: readonly string[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      const bytes = Buffer.from(entry);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(bytes.length);
      return [length, bytes];
    }),
  );
}
