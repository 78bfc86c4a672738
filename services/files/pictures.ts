import { Refusal } from '../../contracts/codes.ts';
import { FairQueue } from '../fair-queue.ts';
import { PictureProcess, PictureTimeout } from './picture-process.ts';
import type { PictureTask } from './picture-task.ts';

/** An avatar is shown small; one of a camera's size would have to be made small for each who sees it. */
export const avatarSide = 1024;

/** Decoding takes up to 500 MB of memory and all of a core. */
const maxRunning = 2;

/** Uploads that wait keep their file and their request. One page may send 20 pictures at once. */
const bounds = { maxRunning, maxRunningEach: 1, maxWaiting: 200 };
const mostWaitingEach = 20;

/** How long decoding and encoding may take, in milliseconds: a photo of 64 megapixels takes two seconds. */
const longestMs = 5_000;

/** How long a process without a task is kept, in milliseconds: it takes 80 MB, and 300 ms to start. */
const idleMs = 60_000;

/** A picture that someone uploads. */
export interface UploadedPicture extends PictureTask {
  /** Whose turn it takes: pictures of one person are written one at a time. */
  readonly person: string;
  /** Gives it up: its sender is gone. */
  readonly signal?: AbortSignal | undefined;
}

/** A picture could not be written for a reason that is not its own, such as a full disk. */
class PictureFailure extends Error {
  override readonly name = 'PictureFailure';
  /** The system's code, such as `ENOSPC`. */
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined) {
    super(message);
    this.code = code;
  }
}

/** Writes uploaded pictures anew, in processes of their own that are killed when they take too long. */
export class Pictures {
  readonly #turns = new FairQueue(bounds);
  readonly #idle: PictureProcess[] = [];
  readonly #busy = new Set<PictureProcess>();
  readonly #maxMs: number;
  #retiring: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param maxMs how long decoding and encoding one picture may take */
  constructor(maxMs = longestMs) {
    this.#maxMs = maxMs;
  }

  /**
   * Does what `reencode` in reencode.ts does.
   * @returns the kind, which is the extension of its name
   * @throws Refusal illegal, tooLarge, tooMany, notReady; Error if a process fails
   */
  async reencode({ person, signal, ...task }: UploadedPicture): Promise<string> {
    return this.#turns
      .run({ of: person, maxWaiting: mostWaitingEach }, () => this.#write(task, signal), signal)
      .catch((error: unknown) => {
        // Nobody reads the answer any more.
        if (signal?.aborted) throw new Refusal('notReady');
        throw error;
      });
  }

  /** Kills what is under way. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retiring);
    for (const process of [...this.#idle.splice(0), ...this.#busy]) process.end();
  }

  async #write(task: PictureTask, signal: AbortSignal | undefined): Promise<string> {
    const process = await this.#take(signal);
    this.#busy.add(process);
    try {
      const report = await process.run(task, this.#maxMs, signal);
      if (report.type === 'written') return report.extension;
      if (report.type === 'refused') throw new Refusal(report.reason, report.message);
      if (report.type === 'failed') throw new PictureFailure(report.message, report.code);
      throw new Error(`a picture process reported that it has ${report.type}`);
    } catch (error) {
      if (error instanceof PictureTimeout) throw new Refusal('tooLarge', '图片过于复杂,无法处理');
      throw error;
    } finally {
      this.#busy.delete(process);
      this.#giveBack(process);
    }
  }

  async #take(signal: AbortSignal | undefined): Promise<PictureProcess> {
    for (let process = this.#idle.pop(); process; process = this.#idle.pop()) {
      if (process.usable) return process;
    }
    const started = await PictureProcess.start();
    if (signal?.aborted || this.#closed) {
      this.#giveBack(started);
      throw signal?.reason ?? new Refusal('notReady');
    }
    return started;
  }

  #giveBack(process: PictureProcess): void {
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
