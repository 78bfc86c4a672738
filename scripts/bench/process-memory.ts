import { readFile } from 'node:fs/promises';
import { childrenOf } from './processor-time.ts';

/** Memory of an installation in one process, in bytes; pages that processes share count once (Pss). */
export interface InstallationMemory {
  readonly program: number;
  /** Of the embedded Postgres with all its processes. */
  readonly postgres: number;
}

/** The memory of a program and of its Postgres. Linux alone says it. */
export async function memoryOf(pid: number): Promise<InstallationMemory> {
  const [program, children] = await Promise.all([sharedOut(pid), childrenOf(pid)]);
  const servers = await Promise.all(children.map(sharedOutTree));
  return { program, postgres: total(servers) };
}

export function megabytes({ program, postgres }: InstallationMemory): string {
  const rounded = (bytes: number) => Math.round(bytes / 1_000_000);
  return `${rounded(program)} MB, Postgres ${rounded(postgres)} MB`;
}

async function sharedOutTree(pid: number): Promise<number> {
  const children = await childrenOf(pid);
  return (await sharedOut(pid)) + total(await Promise.all(children.map(sharedOutTree)));
}

/** The Pss of one process; 0 if it has ended meanwhile. */
async function sharedOut(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0) * 1024;
}

function total(parts: readonly number[]): number {
  return parts.reduce((sum, part) => sum + part, 0);
}
