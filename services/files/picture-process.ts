import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { lowerPriority } from '../background-priority.ts';
import { PictureReport, type PictureTask } from './picture-task.ts';

const worker = fileURLToPath(new URL('./picture-worker.ts', import.meta.url));

/** How long a process may take to start, in milliseconds: a machine under load needs seconds. */
const startTimeoutMs = 30_000;

/** The task took longer than it may, and its process was killed. */
export class PictureTimeout extends Error {
  override readonly name = 'PictureTimeout';
}

/** A running picture-worker.ts. It has one task at a time. */
export class PictureProcess {
  readonly #child: ChildProcess;
  #ended = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.once('exit', () => {
      this.#ended = true;
    });
    child.once('error', () => {
      this.#ended = true;
    });
    // It must not keep the program alive.
    child.unref();
    child.channel?.unref();
  }

  /** Starts a process. @throws Error if it does not come up */
  static async start(): Promise<PictureProcess> {
    // Without the program's environment, which has secrets and is not needed.
    const child = fork(worker, [], {
      env: {},
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    // From here, as the decoder's threads start with the first file that Node reads, before any code of the worker.
    if (child.pid !== undefined) lowerPriority(child.pid);
    const started = new PictureProcess(child);
    await started.#reported(startTimeoutMs, undefined);
    return started;
  }

  /** Whether it can run another task. */
  get usable(): boolean {
    return !this.#ended && this.#child.connected;
  }

  /**
   * Carries out a task. Unless it reports in time, or if `signal` is aborted, the process is killed.
   * @throws PictureTimeout; the reason of `signal`; Error if the process ends
   */
  async run(task: PictureTask, timeoutMs: number, signal: AbortSignal | undefined): Promise<PictureReport> {
    this.#child.send(task);
    return this.#reported(timeoutMs, signal);
  }

  /** Kills it, also during a task. */
  end(): void {
    this.#ended = true;
    this.#child.kill('SIGKILL');
  }

  #reported(timeoutMs: number, signal: AbortSignal | undefined): Promise<PictureReport> {
    const child = this.#child;
    return new Promise<PictureReport>((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        child.off('message', onMessage).off('exit', onExit).off('error', fail);
        signal?.removeEventListener('abort', onAbort);
        act();
      };
      const fail = (error: unknown) =>
        settle(() => {
          this.end();
          reject(error);
        });
      const onMessage = (message: unknown) => {
        const { data, error } = PictureReport.safeParse(message);
        if (data) settle(() => resolve(data));
        else fail(error);
      };
      const onExit = (code: number | null, killed: NodeJS.Signals | null) =>
        fail(new Error(`a picture process ended (${killed ?? `code ${code}`})`));
      const onAbort = () => fail(signal?.reason);
      const timer = setTimeout(() => fail(new PictureTimeout(`no report within ${timeoutMs} ms`)), timeoutMs);
      child.on('message', onMessage).on('exit', onExit).on('error', fail);
      signal?.addEventListener('abort', onAbort);
      if (signal?.aborted) onAbort();
    });
  }
}
