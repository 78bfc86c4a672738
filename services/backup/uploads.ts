import { copyFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { wholeLines } from '../audit/copy/folder-copy.ts';
import { type FileStore, readStoredPath, type StoredPath } from '../files/file-store.ts';
import { makeFolder } from '../make-folder.ts';
import { hashOf, writeDurably } from './durable-file.ts';
import { type NamedFile, UploadEntry } from './manifest.ts';

/** The entries of a list of uploads. @throws Error if a line is none */
export async function* listedUploads(
  list: string,
): AsyncGenerator<UploadEntry & { readonly path: StoredPath }> {
  for await (const line of wholeLines(list)) {
    const entry = UploadEntry.parse(JSON.parse(line));
    const path = readStoredPath(entry.path);
    if (path === undefined) throw new Error(`${list} names ${entry.path}, which is no upload`);
    yield { ...entry, path };
  }
}

/**
 * Copies the uploads that a backup lacks. What a path names never changes, so what is there is not copied again.
 * @param known the hashes of those that were copied before, which grow
 * @returns the paths of all uploads of the store, sorted
 * @throws what store and disk throw
 */
export async function copyUploads(
  store: Pick<FileStore, 'list' | 'find'>,
  folder: string,
  known: Map<StoredPath, UploadEntry>,
  onCopied: (uploads: number) => void,
  signal: AbortSignal,
): Promise<StoredPath[]> {
  const paths = (await Array.fromAsync(store.list())).sort();
  const there: StoredPath[] = [];
  for (const path of paths) {
    signal.throwIfAborted();
    const file = join(folder, path);
    const found = await stat(file).catch(() => undefined);
    const before = known.get(path);
    if (found !== undefined && (before === undefined || before.bytes === found.size)) {
      // An interrupted backup copied it, and did not come to its list.
      if (before === undefined)
        known.set(path, { path, bytes: found.size, sha256: await hashOf(file, found.size) });
      there.push(path);
      continue;
    }
    const stored = await store.find(path);
    // It was deleted since it was listed.
    if (stored === undefined) continue;
    await makeFolder(dirname(file));
    const written = await writeDurably(file, await stored.read());
    known.set(path, { path, ...written });
    there.push(path);
    onCopied(1);
  }
  return there;
}

/** Writes the list of uploads. */
export async function writeUploadList(
  folder: string,
  name: string,
  paths: readonly StoredPath[],
  known: ReadonlyMap<StoredPath, UploadEntry>,
): Promise<NamedFile & { readonly count: number }> {
  function* lines(): Generator<string> {
    for (const path of paths) yield `${JSON.stringify(known.get(path))}\n`;
  }
  return { name, count: paths.length, ...(await writeDurably(join(folder, name), lines())) };
}

/**
 * Adds the uploads of a backup to a store, without those that it has.
 * @param incoming a folder of the store's file system, for copies that are not whole yet
 */
export async function restoreUploads(options: {
  readonly list: string;
  readonly folder: string;
  readonly store: Pick<FileStore, 'add' | 'find'>;
  readonly incoming: string;
  readonly onDone: (uploads: number) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { list, folder, store, incoming, onDone, signal } = options;
  await makeFolder(incoming);
  for await (const { path, bytes } of listedUploads(list)) {
    signal.throwIfAborted();
    if ((await store.find(path))?.bytes !== bytes) {
      const copy = join(incoming, path.replaceAll('/', '-'));
      await copyFile(join(folder, path), copy);
      await store.add(path, copy);
    }
    onDone(1);
  }
}
