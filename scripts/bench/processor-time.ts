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

/** How long a server has worked so far, with all its processes, those that have ended included. */
async function serverMs(pid: number): Promise<number | undefined> {
  const server = await timesOf(pid);
  if (server === undefined) return undefined;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const running = await Promise.all(children.trim().split(' ').map(timesOf));
  return running.reduce((sum, child) => sum + (child?.own ?? 0), server.own + server.ended);
}

async function timesOf(pid: number | string): Promise<{ own: number; ended: number } | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  // After the name, which is in brackets: state and ten numbers, then user, system, and both of ended children.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15);
  return { own: tickMs * (user + system), ended: tickMs * (endedUser + endedSystem) };
}
