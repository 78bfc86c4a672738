import { execFile } from 'node:child_process';
import { readFile, statfs } from 'node:fs/promises';
import { promisify } from 'node:util';
import { filesize } from 'filesize';
import { freeBytes } from '../../services/files/disk-space.ts';
import { defaultLimits } from '../../services/gateway/connections/limits.ts';
import { nearestFolder } from './data-folder.ts';
import { type Finding, findings } from './finding.ts';

/** Below this multiple of the reserve there is a warning. */
const warningReserves = 3;
const minFreeFiles = 10_000;

/**
 * Whether the disk of the data folder has space.
 * @param reserveMb the setting `upload_reserve_mb`
 */
export async function examineDisk(dataFolder: string, reserveMb: number): Promise<Finding[]> {
  const { ok, warning, fault } = findings('disk');
  const folder = nearestFolder(dataFolder);
  const reserve = reserveMb * 1_000_000;
  const free = await freeBytes(folder);
  const found = `${filesize(free)} are free for ${dataFolder}, and ${filesize(reserve)} are kept for messages`;
  const remedy = 'free space, or give the folder a larger disk (docs/operations.md, Sizes and growth)';
  const { files, ffree } = await statfs(folder);
  if (free <= reserve) return [fault(`${found}: uploads are refused (507)`, remedy)];
  // Some file systems have no table of files.
  if (files > 0 && ffree < minFreeFiles)
    return [warning(`only ${ffree} further files fit on the disk`, remedy)];
  return [free < warningReserves * reserve ? warning(found, remedy) : ok(found)];
}

/**
 * Whether a process may open as many files as a gateway takes sockets.
 * @param holder the process that runs on the data folder, whose limits count; undefined: those of this process
 */
export async function examineFileLimit(holder: number | undefined): Promise<Finding[]> {
  const { ok, warning } = findings('open files');
  const running = holder === undefined ? undefined : await openFilesOf(holder);
  const limit = running ?? (await openFilesOf(process.pid)) ?? (await openFilesOfShell());
  const whose = running === undefined ? 'a program started from here' : `the process ${holder}`;
  const found = `${whose} may open ${limit.toLocaleString('en')} files`;
  if (limit >= defaultLimits.maxSockets) return [ok(found)];
  const sockets = defaultLimits.maxSockets.toLocaleString('en');
  return [
    warning(
      `${found}; each websocket takes one, and a gateway takes ${sockets}`,
      'raise LimitNOFILE= or ulimit -n',
    ),
  ];
}

/**
 * Node raises the soft limit to the hard one, so the latter is what a program gets; undefined if the system does not show
 * it, or not to this user.
 */
async function openFilesOf(pid: number): Promise<number | undefined> {
  const limits = await readFile(`/proc/${pid}/limits`, 'utf8').catch(() => '');
  const [, shown] = /^Max open files\s+\S+\s+(\S+)/m.exec(limits) ?? [];
  return shown === undefined ? undefined : countOf(shown);
}

async function openFilesOfShell(): Promise<number> {
  return countOf((await promisify(execFile)('/bin/sh', ['-c', 'ulimit -Hn'])).stdout.trim());
}

function countOf(limit: string): number {
  return limit === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(limit);
}
