import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

/** A bubble-im with its own data in a process of its own, as `npm start` runs it. */
export interface RunningProgram {
  readonly port: number;
  readonly key: string;
  readonly secret: string;
  /** Its data folder. */
  readonly folder: string;
  /** The pid of its present process; undefined if it runs no more. */
  pid(): number | undefined;
  /** Kills it as kill -9 does, and starts it again on the same data. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

/** Called with what a program writes to stderr, and when it ends. */
export interface Watch {
  /** A line that it has written to stderr. */
  line(text: string): void;
  /** It has ended, with this exit code or by this signal. */
  ended(how: number | string | null): void;
}

const standalone = join(import.meta.dirname, '../../services/standalone.ts');

/** Starts the one-process installation in a temporary folder; environment variables name other servers. */
export async function startProgram(port: number, logLevel = 'warn', watch?: Watch): Promise<RunningProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'bubble-im-bench-'));
  let child = await launch(folder, port, logLevel, watch);
  return {
    port,
    ...(await keysOf(folder)),
    folder,
    pid: () => child.pid,
    async crash() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      child = await launch(folder, port, logLevel, watch);
    },
    async stop() {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The server's key of the program that has run on a data folder. */
export async function keysOf(folder: string): Promise<Pick<RunningProgram, 'key' | 'secret'>> {
  const keys = await readFile(join(folder, 'app-secret'), 'utf8').catch(() => '');
  const kept = (name: string) =>
    process.env[name] || (new RegExp(`^${name}=(.*)$`, 'm').exec(keys)?.[1] ?? '');
  return { key: kept('APP_KEY'), secret: kept('APP_SECRET') };
}

async function launch(
  folder: string,
  port: number,
  logLevel: string,
  watch: Watch | undefined,
): Promise<ChildProcess> {
  const child = spawn(process.execPath, [standalone], {
    env: {
      ...process.env,
      DATA_DIR: folder,
      PORT: String(port),
      LOG_LEVEL: process.env.LOG_LEVEL ?? logLevel,
    },
    stdio: ['ignore', 'ignore', watch ? 'pipe' : 'inherit'],
  });
  if (child.stderr) createInterface({ input: child.stderr }).on('line', (text) => watch?.line(text));
  child.on('exit', (code, signal) => watch?.ended(code ?? signal));
  for (let attempt = 0; attempt < 1_200; attempt++) {
    if (child.exitCode !== null) break;
    const answer = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined);
    if (answer?.ok) return child;
    await delay(100);
  }
  child.kill('SIGKILL');
  throw new Error('bubble-im did not start');
}
