import { Refusal } from '../../contracts/codes.ts';
import { FairQueue } from '../fair-queue.ts';
import { PictureProcess, PictureTimeout } from './picture-process.ts';
import type { PictureTask } from './picture-task.ts';

/** The side of a stored avatar, in pixels. It is shown small; one of a camera's size would be scaled by each client. */
export const avatarSide = 1024;

/** Decoding takes up to 500 MB of memory and all of a core. */
const maxRunning = 2;

/** An upload that waits keeps its file and its request. One page may send 20 pictures at once. */
const bounds = { maxRunning, maxRunningEach: 1, maxWaiting: 200 };
const maxWaitingEach = 20;

/** How long decoding and encoding may take: a photo of 64 megapixels takes 2 s. */
const timeoutMs = 5_000;

/** How long a process without a task is kept: it takes 80 MB of memory, and 300 ms to start. */
const idleMs = 60_000;

/** A picture that someone uploads. */
export interface UploadedPicture extends PictureTask {
  /** Who uploads it: pictures of one person are written one at a time. */
  readonly person: string;
  /** Aborted when the sender is gone. */
  readonly signal?: AbortSignal | undefined;
}

/** A picture could not be written for a reason outside the picture, such as a full disk. */
class PictureFailure extends Error {
  override readonly name = 'PictureFailure';
  /** The system's code, such as `ENOSPC`. */
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined) {
    super(message);
    this.code = code;
  }
}

/** Re-encodes uploaded pictures, in processes of their own that are killed when they take too long. */
export class Pictures {
  readonly #queue = new FairQueue(bounds);
  readonly #idle: PictureProcess[] = [];
  readonly #busy = new Set<PictureProcess>();
  readonly #timeoutMs: number;
  #retiring: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param pictureTimeoutMs how long decoding and encoding one picture may take */
  constructor(pictureTimeoutMs = timeoutMs) {
    this.#timeoutMs = pictureTimeoutMs;
  }

  /**
   * Re-encodes a picture, as `reencode` in reencode.ts does.
   * @returns the extension of its kind
   * @throws Refusal illegal, tooLarge, tooMany, notReady; Error if a process fails
   */
  async reencode({ person, signal, ...task }: UploadedPicture): Promise<string> {
    return this.#queue
      .run({ of: person, maxWaiting: maxWaitingEach }, () => this.#write(task, signal), signal)
      .catch((error: unknown) => {
        // The sender is gone: nobody reads this answer.
        if (signal?.aborted) throw new Refusal('notReady');
        throw error;
      });
  }

  /** Kills the processes. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retiring);
    for (const process of [...this.#idle.splice(0), ...this.#busy]) process.end();
  }

  async #write(task: PictureTask, signal: AbortSignal | undefined): Promise<string> {
    const process = await this.#acquire(signal);
    this.#busy.add(process);
    try {
      const report = await process.run(task, this.#timeoutMs, signal);
      if (report.type === 'written') return report.extension;
      if (report.type === 'refused') throw new Refusal(report.reason, report.message);
      if (report.type === 'failed') throw new PictureFailure(report.message, report.code);
      throw new Error(`a picture process reported ${report.type} for a task`);
    } catch (error) {
      if (error instanceof PictureTimeout) throw new Refusal('tooLarge', '图片过于复杂,无法处理');
      throw error;
    } finally {
      this.#busy.delete(process);
      this.#release(process);
    }
  }

  async #acquire(signal: AbortSignal | undefined): Promise<PictureProcess> {
    for (let process = this.#idle.pop(); process; process = this.#idle.pop()) {
      if (process.usable) return process;
    }
    const started = await PictureProcess.start();
    if (signal?.aborted || this.#closed) {
      this.#release(started);
      throw signal?.reason ?? new Refusal('notReady');
    }
    return started;
  }

  #release(process: PictureProcess): void {
    if (!process.usable) return;
    if (this.#closed) {
      process.end();
      return;
    }
    this.#idle.push(process);
    clearTimeout(this.#retiring);
    this.#retiring = setTimeout(() => {
      for (const idle of this.#idle.splice(0)) idle.end();
    }, idleMs).unref();
  }
}
