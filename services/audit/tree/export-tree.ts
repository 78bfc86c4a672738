import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hashBytes } from './hashes.ts';
import type { Head } from './heads.ts';
import { bundleBytes, pathOf, type TileName, tileBytes, tilesOf, tileWidth } from './tiles.ts';
import { textOf } from './tree-entry.ts';
import type { TreeStore } from './tree-store.ts';

/**
 * Writes the tree of a head to a folder, in the files of C2SP tlog-tiles: its tiles and entries, and the checkpoint
 * last. Full tiles that are there stay, since they never change.
 * @param onWritten is called with the number of events whose entries were written since the last time
 * @returns how many files were written
 * @throws what `pg` and the file system throw; the signal's reason
 */
export async function exportTree(
  { store, head, folder }: { readonly store: TreeStore; readonly head: Head; readonly folder: string },
  onWritten: (events: number) => void,
  signal?: AbortSignal,
): Promise<number> {
  let files = 0;
  for (const tile of tilesOf(head.size)) {
    signal?.throwIfAborted();
    if (await isThere(join(folder, pathOf(tile)), tile)) continue;
    const bytes = await bytesOf(store, tile);
    await writeWhole(join(folder, pathOf(tile)), bytes);
    if (tile.level === 'entries') onWritten(tile.width);
    files++;
  }
  await writeWhole(join(folder, 'checkpoint'), head.note);
  return files + 1;
}

/** The bytes of a tile. @throws RangeError if the tree has not that many */
export async function bytesOf(store: TreeStore, { level, index, width }: TileName): Promise<Buffer> {
  if (level !== 'entries') return tileBytes(await store.readTile(level, index, width));
  const entries = await store.entries(index * tileWidth, index * tileWidth + width);
  if (entries.length < width)
    throw new RangeError(`the bundle ${index} has ${entries.length} of ${width} entries`);
  return bundleBytes(entries.map(textOf));
}

async function isThere(file: string, { level, width }: TileName): Promise<boolean> {
  if (width < tileWidth) return false;
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && (level === 'entries' ? found.size > 0 : found.size === tileWidth * hashBytes);
}

async function writeWhole(file: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.unfinished`, content);
  await rename(`${file}.unfinished`, file);
}
