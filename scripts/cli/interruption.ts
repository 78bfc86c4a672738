import { constants } from 'node:os';

/** npm passes Ctrl-C on to a program that gets it from the terminal too: within this time the two are one. */
const echoMs = 500;

/** A command that can be asked to end early, with what it wrote so far complete. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** Whether SIGINT or SIGTERM came. */
  readonly interrupted: boolean;
}

/**
 * Ends a command early: SIGINT or SIGTERM aborts the signal, so that it ends in good order after the line that it
 * writes; a second one ends the process at once. The exit code is then 128 and the signal's number, as of any program
 * that a signal ended, unless the signal is its ordinary end. If the reader of stdout goes away, as `head` does, the
 * signal aborts too, and the exit code stays 0.
 * @param endless whether the command goes on until it is interrupted: then that is no failure, and the exit code is 0
 */
export function interruptible({ endless = false }: { readonly endless?: boolean } = {}): Interruption {
  const stop = new AbortController();
  let first: { readonly name: NodeJS.Signals; readonly at: number } | undefined;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      const at = performance.now();
      if (first?.name === name && at - first.at < echoMs) return;
      const code = 128 + constants.signals[name];
      if (first !== undefined) process.exit(code);
      first = { name, at };
      if (!endless) process.exitCode = code;
      stop.abort();
    });
  }
  process.stdout.on('error', (error) => {
    if (!('code' in error && error.code === 'EPIPE')) throw error;
    stop.abort();
  });
  return {
    signal: stop.signal,
    get interrupted() {
      return first !== undefined;
    },
  };
}
