import { Piscina } from 'piscina';
import { FairQueue, type Share } from '../fair-queue.ts';
import type { Captcha } from './captcha-picture.ts';
import { keepDrawnCodes } from './drawn-codes.ts';

/** One thread draws 50 pictures in about a second; after 2 s a caller has given up. */
const bounds = { maxRunning: 1, maxWaiting: 50, timeoutMs: 2000 };

/** How long the thread is kept without work: it takes 30 MB of memory, and 200 ms to start. */
const idleMs = 60_000;

/** Draws pictures on a thread, and caches QR codes. */
export interface Drawing {
  /** How many pictures were drawn. */
  readonly drawn: number;
  /**
   * The QR code of a text, as a PNG; cached by its content.
   * @param share whose request it is
   * @throws Refusal tooMany, notReady if too many wait
   */
  code(content: string, share: Share): Promise<Uint8Array>;
  /**
   * A new captcha.
   * @param share whose request it is
   * @throws Refusal tooMany, notReady if too many wait
   */
  captcha(share: Share): Promise<Captcha>;
  /** Ends the thread. */
  close(): Promise<void>;
}

/** Draws what takes milliseconds of a core, on one thread below normal priority, one picture at a time. */
export function createDrawing(): Drawing {
  const queue = new FairQueue(bounds);
  const thread = new Piscina({
    filename: new URL('./drawing-worker.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: idleMs,
  });
  const cached = keepDrawnCodes();

  const drawCode = async (content: string): Promise<Uint8Array> => {
    // Another caller may have waited for the same code.
    const drawn = cached.get(content);
    if (drawn !== undefined) return drawn;
    const picture: Uint8Array = await thread.run(content, { name: 'code' });
    cached.set(content, picture);
    return picture;
  };

  return {
    get drawn() {
      return thread.completed;
    },
    async code(content, share) {
      return cached.get(content) ?? queue.run(share, () => drawCode(content));
    },
    captcha: (share) =>
      queue.run(share, async (): Promise<Captcha> => thread.run(undefined, { name: 'captcha' })),
    close: () => thread.destroy(),
  };
}
