import { statfs } from 'node:fs/promises';
import { Refusal } from '../../contracts/codes.ts';

/**
 * Makes sure that more than `reserve` bytes of a folder's disk are free: the database on it needs space to take
 * messages.
 * @throws Refusal noSpace
 */
export async function mustLeaveFree(folder: string, reserve: number): Promise<void> {
  if ((await freeBytes(folder)) <= reserve) throw new Refusal('noSpace', '服务器存储空间不足,暂时不能上传');
}

/** How many bytes of a folder's disk this user may still use. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
