import { execFile } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { isAlive } from './alive.ts';
import { serverEnvironment } from './operating-user.ts';

/** The signals in order, and how long the processes may take to end after each. */
const endings = [
  { signal: 'SIGINT', timeoutMs: 15_000 },
  { signal: 'SIGQUIT', timeoutMs: 5_000 },
  { signal: 'SIGKILL', timeoutMs: 10_000 },
] as const;

/**
 * Ends all processes of a cluster: a server whose parent was killed, or the children of a server that was killed. Two
 * servers on one folder would destroy it, so the processes themselves are searched; the number in a pid file may
 * belong to another process by now.
 * @throws Error if a process survives SIGKILL
 */
export async function endLeftover(clusterName: string, dataFolder: string, logger: Logger): Promise<void> {
  for (const { signal, timeoutMs } of endings) {
    const left = await processesOf(clusterName);
    if (left.length === 0) return removeStalePidFile(dataFolder);
    const servers = left.filter((process) => process.isServer);
    // Children notice that their server has ended and end by themselves; only SIGKILL is sent to them too.
    const targets = servers.length === 0 && signal === 'SIGKILL' ? left : servers;
    for (const { pid } of targets) sendSignal(pid, signal);
    logger.info(
      { pids: left.map(({ pid }) => pid), signal },
      'ending a Postgres that still runs on this folder',
    );
    const until = performance.now() + timeoutMs;
    while (performance.now() < until && (await processesOf(clusterName)).length > 0) await delay(20);
  }
  const left = await processesOf(clusterName);
  if (left.length > 0) {
    throw new Error(`a Postgres still runs on ${dataFolder} (pid ${left[0]?.pid}) and cannot be ended`);
  }
  await removeStalePidFile(dataFolder);
}

interface ClusterProcess {
  readonly pid: number;
  /** The server or a child that has not set its title yet; false for its other children. */
  readonly isServer: boolean;
}

async function processesOf(clusterName: string): Promise<ClusterProcess[]> {
  const found = process.platform === 'linux' ? await linuxProcesses() : await listedProcesses();
  return found.flatMap(({ pid, command }): ClusterProcess[] => {
    if (pid === process.pid) return [];
    if (command.startsWith(`postgres: ${clusterName}: `)) return [{ pid, isServer: false }];
    const words = command.split(/[\0 ]/);
    return words.includes(`cluster_name=${clusterName}`) ? [{ pid, isServer: true }] : [];
  });
}

interface RunningProcess {
  readonly pid: number;
  readonly command: string;
}

async function linuxProcesses(): Promise<RunningProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  return Promise.all(
    pids.map(async (pid) => ({
      pid,
      command: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
    })),
  );
}

async function listedProcesses(): Promise<RunningProcess[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,command='], {
    env: serverEnvironment,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.split('\n').flatMap((line) => {
    const match = /^\s*(\d+) (.*)$/.exec(line);
    return match ? [{ pid: Number(match[1]), command: match[2] ?? '' }] : [];
  });
}

/**
 * After a reboot or in a new container the number in the pid file may belong to any process, and Postgres would
 * refuse to start. If no process has the number, Postgres' own check removes the file.
 */
async function removeStalePidFile(dataFolder: string): Promise<void> {
  const file = join(dataFolder, 'postmaster.pid');
  const pid = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
  if (pid > 0 && isAlive(pid)) await rm(file, { force: true });
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended, or we may not signal it; in that case endLeftover throws at the end.
  }
}
