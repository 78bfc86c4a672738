import { strangenessOf } from '../log/fit.ts';
import type { ReadingDatabase } from '../postgres/database.ts';
import type { ReadableLog } from './readable-log.ts';

/**
 * Why a log is not that of the installation whose tables these are; undefined if it is, or they name none.
 * @throws LogFailure; what `pg` throws
 */
export async function strangenessTo(
  log: Pick<ReadableLog, 'end' | 'identity'>,
  database: ReadingDatabase,
): Promise<string | undefined> {
  const { rows } = await database.query<{ installation: string }>(
    'select installation from followers.checkpoint where installation is not null limit 1',
  );
  return rows[0] && strangenessOf(log, rows[0].installation);
}
