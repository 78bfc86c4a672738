import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Uid } from '../../contracts/ids.ts';

/**
 * Where a stored file lies: `avatars/9/….png`, `images/202104/….jpg`, `files/202104/….pdf`. What a
 * path names never changes.
 */
export type StoredPath = string & { readonly __brand: 'StoredPath' };

/** A stored file, to be read. */
export interface StoredFile {
  readonly bytes: number;
  /**
   * The bytes from `start` up to and including `end`; all where none are named.
   * @throws what `find` throws; what goes wrong on the way, the stream tells
   */
  read(range?: { readonly start: number; readonly end: number }): Promise<Readable>;
}

/** The port to where uploads are kept: a local folder, or an object store. */
export interface FileStore {
  /**
   * Takes over a finished local file. Under its path it is there as a whole or not at all.
   * @throws FileStoreFailure, or what the disk throws; the local file may then still be there
   */
  add(path: StoredPath, localFile: string): Promise<void>;
  /**
   * The file of that path; undefined where there is none.
   * @throws FileStoreFailure, or what the disk throws
   */
  find(path: StoredPath): Promise<StoredFile | undefined>;
  /** Whether it can be worked with now. */
  healthy(): Promise<boolean>;
  close(): Promise<void>;
}

/** The store did not do what it should. Whoever asked may ask again later; the cause is for the log. */
export class FileStoreFailure extends Error {
  override readonly name = 'FileStoreFailure';
}

const shape = /^(?:avatars\/\d{1,16}|images\/\d{6}|files\/\d{6})\/[0-9a-f]{32}\.[a-z0-9]{1,10}$/;

/** Reads what may be a stored file's path; undefined for anything else, so that nothing leads elsewhere. */
export function readStoredPath(text: string): StoredPath | undefined {
  return shape.test(text) ? (text as StoredPath) : undefined;
}

/** What is uploaded, and where it goes by that: a person's avatar, a picture in a chat, any file. */
export type Shelf =
  | { readonly kind: 'avatars'; readonly uid: Uid }
  | { readonly kind: 'images' | 'files'; readonly time: number };

/** A new path under a name that cannot be guessed. `extension` has no dot. */
export function newStoredPath(shelf: Shelf, extension: string): StoredPath {
  const name = `${randomBytes(16).toString('hex')}.${extension}`;
  const folder = shelf.kind === 'avatars' ? String(shelf.uid) : month(shelf.time);
  return `${shelf.kind}/${folder}/${name}` as StoredPath;
}

/** `202104`, in universal time. */
function month(time: number): string {
  const date = new Date(time);
  return `${date.getUTCFullYear()}${String(date.getUTCMonth() + 1).padStart(2, '0')}`;
}

/**
 * The stored picture behind an address that we once gave out, on whatever host; undefined for any other. A file
 * that is no avatar and no image may hold anything.
 */
export function storedPictureOf(address: string): StoredPath | undefined {
  const [, path = ''] = /^(?:(?:https?:)?\/\/[^/]+)?\/upload\/((?:avatars|images)\/.+)$/.exec(address) ?? [];
  return readStoredPath(path);
}
