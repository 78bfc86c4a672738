import { LRUCache } from 'lru-cache';
import { Piscina } from 'piscina';
import { FairLine, type Share } from '../fair-line.ts';

/** A second's work for the one thread, and no longer than callers wait. */
const bounds = { atOnce: 1, mostWaiting: 50, patience: 2000 };

/** Bytes of pictures that are kept: some 2,000 of them. */
const mostKeptBytes = 8 * 1024 * 1024;

/** How long the thread is kept without work, in milliseconds: it takes 10 MB, and 100 ms to start. */
const idleTimeout = 60_000;

/** Draws QR codes on a thread of their own, one at a time, and keeps them by their content. */
export class CodePictures {
  readonly #line = new FairLine(bounds);
  readonly #thread = new Piscina<string, Uint8Array>({
    filename: new URL('./code-picture.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout,
  });
  readonly #kept = new LRUCache<string, Uint8Array>({
    maxSize: mostKeptBytes,
    sizeCalculation: (picture, content) => picture.length + 2 * content.length,
  });

  /** How many codes were drawn. */
  get drawn(): number {
    return this.#thread.completed;
  }

  /**
   * The QR code of a text, as a PNG.
   * @param share for whom it is drawn
   * @throws Refusal tooMany, notReady if too many wait
   */
  async draw(content: string, share: Share): Promise<Uint8Array> {
    return this.#kept.get(content) ?? this.#line.take(share, () => this.#drawNow(content));
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    await this.#thread.destroy();
  }

  async #drawNow(content: string): Promise<Uint8Array> {
    // Others may have waited for the same.
    const kept = this.#kept.get(content);
    if (kept !== undefined) return kept;
    const picture = await this.#thread.run(content);
    this.#kept.set(content, picture);
    return picture;
  }
}
