import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import pTimeout from 'p-timeout';
import type { OverlayOptions } from 'sharp';
import { Refusal } from '../../contracts/codes.ts';
import { side, squaresOf } from './face-grid.ts';
import type { Faces } from './faces.ts';
import type { FileStore, StoredPath } from './file-store.ts';
import { isMissing } from './local-folder.ts';
import { wary } from './picture-bounds.ts';
import { openPrivateFolder } from './private.ts';
import { loadSharp } from './sharp.ts';
import { writeWhole } from './whole-file.ts';

/** One face of a group's picture. */
export interface Face {
  readonly uid: number;
  /** Their uploaded picture; undefined if it is not in our store. */
  readonly path: StoredPath | undefined;
  readonly initial: string;
}

/** A composed picture, JPEG; the tag names its content. */
export interface GroupPicture {
  readonly picture: Buffer;
  readonly tag: string;
}

const layoutVersion = 1;
const background = '#dcdee2';

const timeoutMs = 2000;
/** Pictures that wait to be composed; beyond it callers get none for now. */
const maxWaiting = 100;
/** Composed pictures that are kept on disk. */
const maxKept = 20_000;
/** Scaled faces that are kept in memory. */
const maxSquares = 1_000;

/** Of a face's picture: a PNG of an avatar's 1,024 × 1,024 pixels has up to 4 MB. */
const maxFaceBytes = 5_000_000;
/** Those of a phone's photo. Anybody may ask for a picture of nine such faces. */
const maxFacePixels = 25_000_000;
const maxFaceSeconds = 2;

/** Composes pictures of groups from their members' faces, and keeps them on disk by content. */
export class GroupPictures {
  readonly #folder: string;
  readonly #store: FileStore;
  readonly #faces: Faces;
  readonly #queue = pLimit(2);
  #closed = false;
  readonly #underWay = new Map<string, Promise<Buffer>>();
  /** Faces scaled to their square: the same people are in many groups. */
  readonly #squares = new LRUCache<string, Buffer>({ max: maxSquares });
  /** The names of the kept files; the least recently used is removed from the disk. */
  readonly #kept: LRUCache<string, true>;

  constructor(folder: string, store: FileStore, faces: Faces, max = maxKept) {
    this.#folder = folder;
    this.#store = store;
    this.#faces = faces;
    this.#kept = new LRUCache({
      max,
      dispose: (_, name, reason) => {
        if (reason === 'evict') void rm(join(folder, name), { force: true }).catch(() => undefined);
      },
    });
  }

  /** Composes no more; resolves once the pictures under way are done. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay.values());
  }

  /** Reads the names of the files that are kept. */
  async open(): Promise<this> {
    await openPrivateFolder(this.#folder);
    for (const name of await readdir(this.#folder)) this.#kept.set(name, true);
    return this;
  }

  /**
   * The picture of 1 to 9 faces. Undefined if it is not composed within 2 s or too many wait; a later call may
   * find it composed.
   * @throws what the disk throws; Refusal notReady once it is closed
   */
  async find(faces: readonly Face[]): Promise<GroupPicture | undefined> {
    const tag = createHash('sha256')
      .update(JSON.stringify([layoutVersion, faces.map(({ uid, path, initial }) => path ?? [uid, initial])]))
      .digest('hex')
      .slice(0, 32);
    const picture = (await this.#read(tag)) ?? (await inTime(this.#compose(tag, faces)));
    return picture && { picture, tag };
  }

  async #read(tag: string): Promise<Buffer | undefined> {
    const name = fileName(tag);
    try {
      const picture = await readFile(join(this.#folder, name));
      this.#kept.set(name, true);
      return picture;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  #compose(tag: string, faces: readonly Face[]): Promise<Buffer> | undefined {
    const underWay = this.#underWay.get(tag);
    if (underWay) return underWay;
    if (this.#queue.pendingCount >= maxWaiting) return undefined;
    const composing = this.#queue(() => this.#make(tag, faces));
    this.#underWay.set(tag, composing);
    const settled = () => this.#underWay.delete(tag);
    composing.then(settled, settled);
    return composing;
  }

  async #make(tag: string, faces: readonly Face[]): Promise<Buffer> {
    if (this.#closed) throw new Refusal('notReady');
    let whole = true;
    const layers: OverlayOptions[] = [];
    // One after the other: members with the same picture find it in the cache, and one picture is in memory.
    for (const [index, { left, top, size }] of squaresOf(faces.length).entries()) {
      const face = faces[index];
      if (!face) throw new TypeError('a square without a face');
      const uploaded = await this.#uploaded(face, size).catch(() => {
        // The store is away: the substitute for the picture must not be kept.
        whole = false;
        return undefined;
      });
      layers.push({ input: uploaded ?? (await this.#faces.draw(face.initial, face.uid, size)), left, top });
    }
    const sharp = await loadSharp();
    const picture = await sharp({ create: { width: side, height: side, channels: 3, background } })
      .composite(layers)
      .jpeg({ quality: 85 })
      .toBuffer();
    if (whole) {
      await writeWhole(join(this.#folder, fileName(tag)), picture);
      this.#kept.set(fileName(tag), true);
    }
    return picture;
  }

  /** The uploaded picture as a square; undefined if it is missing, too large or broken. */
  async #uploaded({ path }: Face, size: number): Promise<Buffer | undefined> {
    if (path === undefined) return undefined;
    const key = `${size} ${path}`;
    const known = this.#squares.get(key);
    if (known) return known;
    const stored = await this.#store.find(path);
    if (!stored || stored.bytes > maxFaceBytes) return undefined;
    const square = await squareOf(await buffer(await stored.read()), size);
    if (square) this.#squares.set(key, square);
    return square;
  }
}

/** A picture cut to a square; undefined if the bytes are no picture. */
async function squareOf(bytes: Buffer, size: number): Promise<Buffer | undefined> {
  const sharp = await loadSharp();
  return sharp(bytes, { ...wary, limitInputPixels: maxFacePixels })
    .timeout({ seconds: maxFaceSeconds })
    .resize(size, size, { fit: 'cover' })
    .flatten({ background: '#fff' })
    .png()
    .toBuffer()
    .catch(() => undefined);
}

const fileName = (tag: string) => `${tag}.jpg`;

/** A picture, unless it takes longer than is waited for. */
async function inTime(composing: Promise<Buffer> | undefined): Promise<Buffer | undefined> {
  return composing && pTimeout(composing, { milliseconds: timeoutMs, fallback: () => undefined });
}
