import type { RunningApplication } from './application.ts';

/** Says what made the read models, as a program does when it starts; null if nobody has said so. */
export async function sayVersionOfReadModels(
  { application }: RunningApplication,
  version: string | null,
): Promise<void> {
  await application.pool.query(`update followers.checkpoint set version = $1 where name = 'read'`, [version]);
}
