import { rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readKept } from '../../app-keys/kept-file.ts';
import { lockExportFolder } from '../../data-folder.ts';
import { whileWriting } from '../../file-failure.ts';
import { makeFolder } from '../../make-folder.ts';
import { readCheckpointText } from './checkpoint.ts';
import { type Hash, hashBytes, leafHash, sameHash, treeHash } from './hashes.ts';
import type { Head } from './heads.ts';
import { readNote } from './note.ts';
import { bundleBytes, maxEntryBytes, pathOf, type TileName, tileBytes, tilesOf, tileWidth } from './tiles.ts';
import { textOf } from './tree-entry.ts';
import type { TreeStore } from './tree-store.ts';

/** Whether a name in a folder says that it holds a tree, which may not have been written to its end. */
export function isOfTree(name: string): boolean {
  return name === 'checkpoint' || name === 'tile';
}

/** What is exported may be served to others. */
const publicMode = 0o777;

/** The tree of a head, and the folder that it is written to. */
interface ExportedTree {
  readonly store: TreeStore;
  readonly head: Head;
  readonly folder: string;
}

/**
 * Writes the tree of a head to a folder, in the files of C2SP tlog-tiles: its tiles and entries, and the checkpoint
 * last. Full tiles of an export that was finished stay, since they never change.
 * @param onWritten is called with the number of events whose entries were written since the last time
 * @returns how many files were written
 * @throws Error if the tree is not that of the head, the folder holds another log, or another export writes to it; ChangedTile; FileFailure; what `pg` throws; the signal's reason
 */
export async function exportTree(
  target: ExportedTree,
  onWritten: (events: number) => void,
  signal?: AbortSignal,
): Promise<number> {
  const { store, head, folder } = target;
  await mustHold(store, head);
  await whileWriting(folder, makeFolder(folder, publicMode));
  const lock = await lockExportFolder(folder);
  try {
    return await writeFiles(target, onWritten, signal);
  } finally {
    await lock.release();
  }
}

async function writeFiles(
  { store, head, folder }: ExportedTree,
  onWritten: (events: number) => void,
  signal: AbortSignal | undefined,
): Promise<number> {
  let files = 0;
  const exported = await exportedSize(store, head, folder);
  for (const tile of tilesOf(head.size)) {
    signal?.throwIfAborted();
    if (endOf(tile) <= exported && (await isThere(join(folder, pathOf(tile)), tile))) continue;
    const bytes = await bytesOf(store, tile);
    await writeWhole(join(folder, pathOf(tile)), bytes);
    if (tile.level === 'entries') onWritten(tile.width);
    files++;
  }
  await writeWhole(join(folder, 'checkpoint'), head.note);
  return files + 1;
}

/** A row of the index, a digest or a hash of the tree is not what it was when its tile became full. */
export class ChangedTile extends Error {
  override readonly name = 'ChangedTile';
}

/**
 * The bytes of a tile. A full one is compared with its hash in the level above, so that a row that was changed since
 * is never given to others, who keep full tiles for ever.
 * @throws RangeError if the tree has not that many; ChangedTile; what `pg` throws
 */
export async function bytesOf(store: TreeStore, tile: TileName): Promise<Buffer> {
  const { level, index, width } = tile;
  if (level !== 'entries') {
    const hashes = await store.readTile(level, index, width);
    await mustBeWhatItWas(store, tile, level, hashes);
    return tileBytes(hashes);
  }
  const entries = (await store.entries(index * tileWidth, index * tileWidth + width)).map(textOf);
  if (entries.length < width)
    throw new RangeError(`the bundle ${index} has ${entries.length} of ${width} entries`);
  await mustBeWhatItWas(store, tile, 0, entries.map(leafHash));
  const long = entries.findIndex((entry) => Buffer.byteLength(entry) > maxEntryBytes);
  // The auditor makes no such entry: the row was changed, or an earlier version made it.
  if (long >= 0) {
    throw new ChangedTile(
      `the event ${index * tileWidth + long} has a longer entry in the index than a tile holds: npm run rebuild -- --audit makes the index again`,
    );
  }
  return bundleBytes(entries);
}

/** @throws ChangedTile if these are not the hashes of which the tile was made when it became full */
async function mustBeWhatItWas(
  store: TreeStore,
  tile: TileName,
  level: number,
  hashes: readonly Hash[],
): Promise<void> {
  if (tile.width < tileWidth) return;
  const [made] = await store.tileHashes(level, tile.index, 1);
  // While the index is made again the tile is not there yet.
  if (!made) throw new RangeError(`the tile ${level}/${tile.index} is not full`);
  if (sameHash(treeHash(hashes), made)) return;
  const events = tileWidth ** (level + 1);
  throw new ChangedTile(
    `the events from ${tile.index * events} to ${(tile.index + 1) * events - 1} are in the index otherwise than they were ` +
      'audited: npm run verify says what is different',
  );
}

/** @throws Error if the tree is not the one that a head was signed for */
async function mustHold(store: TreeStore, { origin, size, root }: Head): Promise<void> {
  if ((await store.size()) >= size && sameHash(await store.root(size), root)) return;
  throw new Error(
    `the first ${size} events of the log are not those that ${origin} signed: npm run verify says what is different`,
  );
}

/** How many events the tree in a folder has, which must be a beginning of the tree of the head. */
async function exportedSize(store: TreeStore, head: Head, folder: string): Promise<number> {
  const note = await readKept(join(folder, 'checkpoint'));
  if (note === undefined) return 0;
  const { origin, size, root } = readCheckpointText(readNote(note).text);
  if (size <= head.size && sameHash(await store.root(size), root)) return size;
  throw new Error(
    `${folder} holds the tree of ${size} events of ${origin}, which are not the first ones of this log: give another folder`,
  );
}

/** How many events a tree has at least that has this tile full. */
function endOf({ level, index }: TileName): number {
  return (index + 1) * tileWidth ** (level === 'entries' ? 1 : level + 1);
}

async function isThere(file: string, { level, width }: TileName): Promise<boolean> {
  if (width < tileWidth) return false;
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && (level === 'entries' ? found.size > 0 : found.size === tileWidth * hashBytes);
}

async function writeWhole(file: string, content: Uint8Array | string): Promise<void> {
  const unfinished = `${file}.unfinished`;
  await whileWriting(
    file,
    makeFolder(dirname(file), publicMode)
      .then(() => writeFile(unfinished, content))
      .then(() => rename(unfinished, file)),
  );
}
