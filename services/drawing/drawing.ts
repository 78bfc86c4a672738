import { LRUCache } from 'lru-cache';
import { Piscina } from 'piscina';
import { FairQueue, type Share } from '../fair-queue.ts';
import type { Captcha } from './captcha-picture.ts';

/** A second's work for the one thread, and no longer than callers wait. */
const bounds = { maxRunning: 1, maxWaiting: 50, timeoutMs: 2000 };

/** Bytes of QR codes that are kept: some 2,000 of them. */
const maxKeptBytes = 8 * 1024 * 1024;

/** How long the thread is kept without work, in milliseconds: it takes 30 MB, and 200 ms to start. */
const idleTimeout = 60_000;

/** The line in which drawings wait for the thread, and the QR codes that are kept. */
export interface Drawing {
  /** How many pictures were drawn. */
  readonly drawn: number;
  /**
   * The QR code of a text, as a PNG; kept by its content.
   * @param share for whom it is drawn
   * @throws Refusal tooMany, notReady if too many wait
   */
  code(content: string, share: Share): Promise<Uint8Array>;
  /**
   * A new captcha.
   * @param share for whom it is drawn
   * @throws Refusal tooMany, notReady if too many wait
   */
  captcha(share: Share): Promise<Captcha>;
  /** Ends the thread. */
  close(): Promise<void>;
}

/** Draws what takes milliseconds of a core, on one thread of low priority, one picture at a time. */
export function createDrawing(): Drawing {
  const line = new FairQueue(bounds);
  const thread = new Piscina({
    filename: new URL('./drawing-worker.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout,
  });
  const kept = new LRUCache<string, Uint8Array>({
    maxSize: maxKeptBytes,
    sizeCalculation: (picture, content) => picture.length + 2 * content.length,
  });

  const drawCode = async (content: string): Promise<Uint8Array> => {
    // Others may have waited for the same.
    const drawn = kept.get(content);
    if (drawn !== undefined) return drawn;
    const picture: Uint8Array = await thread.run(content, { name: 'code' });
    kept.set(content, picture);
    return picture;
  };

  return {
    get drawn() {
      return thread.completed;
    },
    async code(content, share) {
      return kept.get(content) ?? line.run(share, () => drawCode(content));
    },
    captcha: (share) =>
      line.run(share, async (): Promise<Captcha> => thread.run(undefined, { name: 'captcha' })),
    close: () => thread.destroy(),
  };
}
