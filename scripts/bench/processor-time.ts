import { readFile } from 'node:fs/promises';

/** The unit of the times in /proc on Linux, in milliseconds. */
const tickMs = 10;

/** How long something took, by the clock and in processor time of this process and of Postgres. */
export interface Cost {
  readonly seconds: number;
  /** Undefined if the system does not say it: only Linux does, of a Postgres on this machine. */
  readonly processorSeconds: number | undefined;
}

/** Measures what `work` costs. @param postgres the pid of the server that works for it */
export async function costOf(postgres: number, work: () => Promise<unknown>): Promise<Cost> {
  const usage = process.cpuUsage();
  const server = await serverMs(postgres);
  const begun = performance.now();
  await work();
  const seconds = (performance.now() - begun) / 1_000;
  const { user, system } = process.cpuUsage(usage);
  const after = await serverMs(postgres);
  const known = server !== undefined && after !== undefined;
  return {
    seconds,
    processorSeconds: known ? (user + system) / 1_000_000 + (after - server) / 1_000 : undefined,
  };
}

/** Adds up. */
export function totalOf(costs: readonly Cost[]): Cost {
  const known = costs.every(({ processorSeconds }) => processorSeconds !== undefined);
  return {
    seconds: costs.reduce((sum, { seconds }) => sum + seconds, 0),
    processorSeconds: known
      ? costs.reduce((sum, { processorSeconds = 0 }) => sum + processorSeconds, 0)
      : undefined,
  };
}

/** Processor time, in milliseconds. */
export interface ProcessorTime {
  readonly user: number;
  readonly system: number;
}

/** That a process has used so far; undefined if the system does not say it. */
export async function timeOf(pid: number): Promise<ProcessorTime | undefined> {
  return (await timesOf(pid))?.own;
}

/** That the children of a process have used so far, with their own children, those that have ended included. */
export async function timeOfChildren(pid: number): Promise<ProcessorTime> {
  const children = await Promise.all((await childrenOf(pid)).map(timeOfTree));
  return children.reduce<ProcessorTime>((sum, child) => plus(sum, child ?? none), none);
}

/** How long a server has worked so far, with all its processes. */
async function serverMs(pid: number): Promise<number | undefined> {
  const time = await timeOfTree(pid);
  return time && time.user + time.system;
}

async function timeOfTree(pid: number): Promise<ProcessorTime | undefined> {
  const times = await timesOf(pid);
  return times && plus(plus(times.own, times.ended), await timeOfChildren(pid));
}

const none: ProcessorTime = { user: 0, system: 0 };

function plus(one: ProcessorTime, other: ProcessorTime): ProcessorTime {
  return { user: one.user + other.user, system: one.system + other.system };
}

/** The children of a process. Node starts them on its main thread. */
export async function childrenOf(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return children.trim().split(' ').filter(Boolean).map(Number);
}

/** The time of a process, and of those of its children that have ended. */
async function timesOf(pid: number): Promise<{ own: ProcessorTime; ended: ProcessorTime } | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  // After the name, which is in brackets: state and ten numbers, then user, system, and both of ended children.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map((field) => tickMs * Number(field));
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15);
  return { own: { user, system }, ended: { user: endedUser, system: endedSystem } };
}
