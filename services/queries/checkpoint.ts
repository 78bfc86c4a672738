import { sql } from 'kysely';
import type { GreatestIds } from '../accounts/ids.ts';
import { type Position, startOfLog } from '../log/log.ts';
import type { ReadDatabase } from './tables.ts';

/** Up to where the read models reach. */
export async function readCheckpoint(database: ReadDatabase): Promise<Position> {
  const row = await database
    .selectFrom('read.checkpoint')
    .select('position')
    .where('name', '=', 'read')
    .executeTakeFirst();
  // The projector wrote it from a position of the log.
  return (row?.position as Position | undefined) ?? startOfLog;
}

/** The greatest ids that the read models show, 0 where there is none. */
export async function greatestIds(database: ReadDatabase): Promise<GreatestIds> {
  const { rows } = await sql<{ uid: number; application_id: number; reply_id: number; mid: number }>`
    select (select coalesce(max(uid), 0) from read.users) as uid,
           (select coalesce(max(application_id), 0) from read.applications) as application_id,
           (select coalesce(max(rid), 0) from read.replies) as reply_id,
           (select coalesce(max(mid), 0) from read.messages) as mid`.execute(database);
  const [row] = rows;
  return {
    uid: row?.uid ?? 0,
    applicationId: row?.application_id ?? 0,
    replyId: row?.reply_id ?? 0,
    mid: row?.mid ?? 0,
  };
}
