import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Uid } from '../../contracts/ids.ts';

/**
 * The path of a stored file: `avatars/9/….png`, `images/202104/….jpg`, `files/202104/….pdf`. The content under a
 * path never changes.
 */
export type StoredPath = string & { readonly __brand: 'StoredPath' };

/** A stored file, to be read. */
export interface StoredFile {
  readonly bytes: number;
  /**
   * The bytes from `start` up to and including `end`; by default all.
   * @throws what `find` throws; later failures are errors of the stream
   */
  read(range?: { readonly start: number; readonly end: number }): Promise<Readable>;
}

/** The port to the store of uploads: a local folder, or an object store. */
export interface FileStore {
  /**
   * Moves a finished local file into the store. The store has the whole file under its path, or nothing.
   * @throws FileStoreFailure, or what the disk throws; the local file may then still exist
   */
  add(path: StoredPath, localFile: string): Promise<void>;
  /**
   * The file of that path; undefined if there is none.
   * @throws FileStoreFailure, or what the disk throws
   */
  find(path: StoredPath): Promise<StoredFile | undefined>;
  /** The paths of all files, in no particular order. @throws what `find` throws */
  list(): AsyncIterable<StoredPath>;
  /** Whether the store can be used now. */
  healthy(): Promise<boolean>;
  close(): Promise<void>;
}

/** The store failed. The caller may try again later; the cause is for the log. */
export class FileStoreFailure extends Error {
  override readonly name = 'FileStoreFailure';
}

const shape = /^(?:avatars\/\d{1,16}|images\/\d{6}|files\/\d{6})\/[0-9a-f]{32}\.[a-z0-9]{1,10}$/;

/** Parses the path of a stored file; undefined for any other text, such as one with `..`. */
export function readStoredPath(text: string): StoredPath | undefined {
  return shape.test(text) ? (text as StoredPath) : undefined;
}

/** The part of the store for an upload: a person's avatar, a picture in a chat, or any file. */
export type Shelf =
  | { readonly kind: 'avatars'; readonly uid: Uid }
  | { readonly kind: 'images' | 'files'; readonly time: number };

/** A new path under a name that cannot be guessed. `extension` has no dot. */
export function newStoredPath(shelf: Shelf, extension: string): StoredPath {
  const name = `${randomBytes(16).toString('hex')}.${extension}`;
  const folder = shelf.kind === 'avatars' ? String(shelf.uid) : month(shelf.time);
  return `${shelf.kind}/${folder}/${name}` as StoredPath;
}

/** Such as `202104`, in UTC. */
function month(time: number): string {
  const date = new Date(time);
  return `${date.getUTCFullYear()}${String(date.getUTCMonth() + 1).padStart(2, '0')}`;
}

/**
 * The stored picture of a URL that this system gave out, on any host; undefined for others. Files that are neither
 * avatars nor images may have any content.
 */
export function storedPictureOf(address: string): StoredPath | undefined {
  const [, path = ''] = /^(?:(?:https?:)?\/\/[^/]+)?\/upload\/((?:avatars|images)\/.+)$/.exec(address) ?? [];
  return readStoredPath(path);
}
