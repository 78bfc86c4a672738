import { statfs } from 'node:fs/promises';
import { Refusal } from '../../contracts/codes.ts';

/**
 * Makes sure that more than `reserve` bytes of a folder's disk are free: the database on it needs space to take
 * messages.
 * @throws Refusal noSpace
 */
export async function mustLeaveFree(folder: string, reserve: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize <= reserve) throw new Refusal('noSpace', '服务器存储空间不足,暂时不能上传');
}
