import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { AtEnd } from './at-end.ts';

/** A Node program that a test has started. It is killed when the test ends, if it still runs. */
export interface RunningProgram {
  readonly pid: number;
  /** Resolves with the first line of stdout that matches, also an earlier one; rejects when the program ends. */
  line(fits: RegExp): Promise<string>;
  /** All lines of stdout so far. */
  lines(): readonly string[];
  signal(signal: NodeJS.Signals): void;
  /** Resolves when the program has ended, with its exit code or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  /** What it has written to stderr so far. */
  stderr(): string;
}

/**
 * Starts a TypeScript file of the project.
 * @param environment its whole environment, except PATH
 * @param atEnd gets the function that kills it
 */
export function startProgram(
  file: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>>,
  atEnd: AtEnd = onTestFinished,
): RunningProgram {
  const child = spawn(process.execPath, [file, ...parameters], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  atEnd(() => void child.kill('SIGKILL'));
  return follow(child);
}

function follow(child: ChildProcess): RunningProgram {
  const lines: string[] = [];
  let errors = '';
  let wake = Promise.withResolvers<void>();
  const advance = () => {
    wake.resolve();
    wake = Promise.withResolvers();
  };
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      advance();
    });
  }
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  let gone = false;
  const ended = once(child, 'close').then(() => {
    gone = true;
    advance();
    return child.exitCode ?? child.signalCode;
  });
  return {
    pid: child.pid ?? 0,
    ended,
    signal: (signal) => void child.kill(signal),
    lines: () => lines,
    stderr: () => errors,
    async line(fits) {
      for (;;) {
        const found = lines.find((line) => fits.test(line));
        if (found !== undefined) return found;
        if (gone) throw new Error(`the program ended without a line like ${fits}: ${errors}`);
        await wake.promise;
      }
    },
  };
}
