import { execFile } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { serverEnvironment } from './operating-user.ts';

/** How long each way of ending is given, from the kindest to the one that cannot be refused. */
const endings = [
  { signal: 'SIGINT', milliseconds: 15_000 },
  { signal: 'SIGQUIT', milliseconds: 5_000 },
  { signal: 'SIGKILL', milliseconds: 10_000 },
] as const;

/**
 * Ends what still runs of the cluster of that name: a server whose parent was killed, or the children
 * of a server that was. Two servers on one folder would destroy it, so this is told by the processes
 * themselves, not by a pid file, whose number may long be another's.
 * @throws Error when something survives even SIGKILL.
 */
export async function endLeftover(clusterName: string, dataFolder: string, logger: Logger): Promise<void> {
  for (const { signal, milliseconds } of endings) {
    const left = await processesOf(clusterName);
    if (left.length === 0) return removeStalePidFile(dataFolder);
    const servers = left.filter((process) => process.isServer);
    // Children without their server notice it and end by themselves; only SIGKILL is for them too.
    const targets = servers.length === 0 && signal === 'SIGKILL' ? left : servers;
    for (const { pid } of targets) sendSignal(pid, signal);
    logger.info({ pids: left.map(({ pid }) => pid), signal }, 'ending a Postgres left behind on this folder');
    const until = performance.now() + milliseconds;
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
  /** The server itself, or a child that has not yet named itself; else one of its children. */
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
 * After a reboot, or in a new container, the number in the pid file may be that of any process, and
 * Postgres would then refuse to start. Where nobody bears the number it is left to Postgres' own check.
 */
async function removeStalePidFile(dataFolder: string): Promise<void> {
  const file = join(dataFolder, 'postmaster.pid');
  const pid = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
  if (pid > 0 && isAlive(pid)) await rm(file, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended meanwhile; who may not be signalled is still there at the end and is told of then.
  }
}
