import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { compiledFolder } from '../../services/compiled.ts';
import type { Bench } from './main.ts';
import { timeOf, timeOfChildren } from './processor-time.ts';

export const bench: Bench = {
  summary: 'how long the program takes until /ready, in an empty data folder and in one that it has filled',
  options: (command: Command) =>
    command
      .option('--times <n>', 'how many starts of each kind', Number, 5)
      .option('--port <n>', 'where bubble-im listens meanwhile', Number, 8799),
  run: async ({ times, port }) => measure(Number(times), Number(port)),
};

const standalone = join(import.meta.dirname, '../../services/standalone.ts');

/** How often `/ready` is asked. */
const askEveryMs = 5;

async function measure(times: number, port: number): Promise<void> {
  console.log('                   until /ready   processor time: program, Postgres');
  for (let count = 0; count < times; count++) {
    const folder = await mkdtemp(join(tmpdir(), 'bubble-im-bench-'));
    try {
      await start('empty folder', folder, port);
      await start('filled folder', folder, port);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

async function start(name: string, folder: string, port: number): Promise<void> {
  const { program, tookMs } = await startUntilReady(folder, port);
  try {
    const [own, servers] = await Promise.all([timeOf(program.pid ?? 0), timeOfChildren(program.pid ?? 0)]);
    const seconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`;
    const used =
      own === undefined ? '' : `${seconds(own.user + own.system)}, ${seconds(servers.user + servers.system)}`;
    console.log(`${name.padEnd(18)} ${seconds(tookMs)}         ${used}`);
  } finally {
    await endBy('SIGTERM', program);
  }
}

/**
 * Starts the program as `npm start` does. @returns how long it took until `/ready` answered 200
 * @throws Error if it ends, or is not ready within `timeoutMs`
 */
export async function startUntilReady(
  folder: string,
  port: number,
  timeoutMs = 120_000,
): Promise<{ readonly program: ChildProcess; readonly tookMs: number }> {
  const begun = performance.now();
  const program = spawn(process.execPath, [standalone], {
    // As `npm start` sets it.
    env: {
      NODE_COMPILE_CACHE: compiledFolder,
      ...process.env,
      DATA_DIR: folder,
      PORT: String(port),
      LOG_LEVEL: process.env.LOG_LEVEL ?? 'warn',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await isReady(port, program, timeoutMs);
  } catch (error) {
    await endBy('SIGTERM', program);
    throw error;
  }
  return { program, tookMs: performance.now() - begun };
}

/** Ends a program, and waits until it has ended. */
export async function endBy(signal: NodeJS.Signals, program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const ended = once(program, 'exit');
  program.kill(signal);
  await ended;
}

async function isReady(port: number, program: ChildProcess, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (performance.now() < end && program.exitCode === null) {
    const answer = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined);
    if (answer?.ok) return;
    await delay(askEveryMs);
  }
  throw new Error('bubble-im did not start');
}
