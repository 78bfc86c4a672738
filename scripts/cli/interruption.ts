import { setMaxListeners } from 'node:events';
import { constants } from 'node:os';
import { reasonOf } from '../../services/error-reason.ts';

/** npm passes Ctrl-C on to a program that gets it from the terminal too: within this time the two are one. */
const echoMs = 500;

/** SIGHUP comes when the terminal is closed. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What writing fails with if nobody reads any more: a pipe, and a terminal that was closed. */
const nobodyReads = new Set<unknown>(['EPIPE', 'EIO']);

/** Why a command ends early: a signal came, or the reader of its output went away. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

let ofProcess: ProcessInterruption | undefined;

/**
 * Lets the command of this process end early: SIGINT, SIGTERM or SIGHUP aborts the signal, so that it ends in good order after
 * the line that it writes; a second one ends the process at once. The exit code is then 128 and the signal's number, as
 * of any program that a signal ended, unless the signal is its ordinary end. If the reader of stdout goes away, as `head`
 * does, the signal aborts too, and the exit code stays 0. If the output cannot be written, as on a full disk, stderr says so,
 * the signal aborts, and the exit code is 1.
 * @param endless whether the command goes on until it is interrupted: then that is no failure, and the exit code is 0
 * @returns the signal, the same for the whole process, which aborts with an `Interrupted`
 */
export function interruptible({ endless = false }: { readonly endless?: boolean } = {}): AbortSignal {
  ofProcess ??= new ProcessInterruption();
  if (endless) ofProcess.endless = true;
  return ofProcess.signal;
}

class ProcessInterruption {
  endless = false;
  readonly #stop = new AbortController();
  #first: { readonly name: NodeJS.Signals; readonly at: number } | undefined;

  constructor() {
    // Many wait for it at once, each for a short time.
    setMaxListeners(0, this.#stop.signal);
    for (const name of signals) process.on(name, () => this.#interrupt(name));
    process.stdout.on('error', (error) => {
      if (!this.signal.aborted && !('code' in error && nobodyReads.has(error.code))) {
        process.stderr.write(`the output cannot be written: ${reasonOf(error)}\n`);
        process.exitCode = 1;
      }
      this.#stop.abort(new Interrupted('nobody reads the output any more'));
    });
    // Nobody reads what went wrong either: the exit code says it.
    process.stderr.on('error', () => undefined);
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  #interrupt(name: (typeof signals)[number]): void {
    const at = performance.now();
    if (this.#first?.name === name && at - this.#first.at < echoMs) return;
    const code = 128 + constants.signals[name];
    if (this.#first !== undefined) process.exit(code);
    this.#first = { name, at };
    if (!this.endless) {
      process.exitCode = code;
      // It may take some seconds, and on a terminal a progress line is to be overwritten.
      const clear = process.stderr.isTTY ? '\r\u001b[K' : '';
      process.stderr.write(`${clear}interrupted: ending in good order (again: at once)\n`);
    }
    this.#stop.abort(new Interrupted('interrupted'));
  }
}
