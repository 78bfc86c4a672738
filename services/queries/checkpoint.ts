import { sql } from 'kysely';
import type { GreatestIds } from '../accounts/ids.ts';
import type { Tick } from '../bus/bus.ts';
import type { Position } from '../log/log.ts';
import type { ReadDatabase } from './tables.ts';

/** Up to where the read models reach, as the projector's last tick told it. */
export async function readCheckpoint(database: ReadDatabase): Promise<Tick> {
  const row = await database
    .selectFrom('read.checkpoint')
    .select(['position', 'fence', 'batch'])
    .where('name', '=', 'read')
    .executeTakeFirst();
  if (row === undefined) throw new Error('the read models have no checkpoint: the database is not migrated');
  // The projector wrote it from a position of the log.
  return { checkpoint: row.position as Position, fence: row.fence, batch: row.batch };
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
