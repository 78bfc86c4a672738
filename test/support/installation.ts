import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { type RunningProgram, startProgram } from './process.ts';

const StartedLine = z.object({
  databaseUrl: z.string(),
  dataFolder: z.string(),
  appKeys: z.object({ key: z.string(), secret: z.string() }),
  address: z.object({ port: z.number() }),
});

/** An installation that has started. */
export interface Started extends z.infer<typeof StartedLine> {
  readonly program: RunningProgram;
}

/** Starts test/start/installation-program.ts. It and its Postgres are ended with the test. */
export function launch(dataFolder: string, environment: Record<string, string> = {}): RunningProgram {
  const program = startProgram('test/start/installation-program.ts', [], {
    DATA_DIR: dataFolder,
    PORT: '0',
    ...environment,
  });
  onTestFinished(async () => {
    program.signal('SIGKILL');
    await program.ended;
    const left = await postgresPid(dataFolder);
    if (left !== undefined) await endProcess(left);
  });
  return program;
}

/** Starts an installation, and waits until it is ready. */
export async function start(dataFolder: string, environment?: Record<string, string>): Promise<Started> {
  const program = launch(dataFolder, environment);
  return { program, ...StartedLine.parse(JSON.parse(await program.line(/^\{/))) };
}

/** The pid of the embedded Postgres that runs, or was killed, in the data folder. */
export async function postgresPid(dataFolder: string): Promise<number | undefined> {
  const file = join(dataFolder, 'postgres', 'data', 'postmaster.pid');
  const pid = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
  return pid > 0 ? pid : undefined;
}

/** Whether a process with this pid runs; a zombie does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    if (process.platform !== 'linux') return true;
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function endProcess(pid: number): Promise<void> {
  if (!isRunning(pid)) return;
  process.kill(pid, 'SIGQUIT');
  while (isRunning(pid)) await delay(10);
}

/** Runs one statement on a connection of its own. */
export async function query(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}
