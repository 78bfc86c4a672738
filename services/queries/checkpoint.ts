import { sql } from 'kysely';
import { firstReplacedMid } from '../../contracts/ids.ts';
import type { GreatestIds } from '../accounts/ids.ts';
import type { Tick } from '../bus/bus.ts';
import type { ReadModelsMark } from '../log/fit.ts';
import type { FollowingFault } from '../log/following-fault.ts';
import type { EventId, Position } from '../log/log.ts';
import type { ReadDatabase } from './tables.ts';

/** The checkpoint of the read models, as the projector's last tick announced it. */
export async function readCheckpoint(database: ReadDatabase): Promise<Tick> {
  const row = await database
    .selectFrom('followers.checkpoint')
    .select(['position', 'fence', 'batch'])
    .where('name', '=', 'read')
    .executeTakeFirst();
  if (row === undefined) throw new Error('the read models have no checkpoint: the database is not migrated');
  // The projector wrote it from a position of the log.
  return { checkpoint: row.position as Position, fence: row.fence, batch: row.batch };
}

/** By what the read models recognise their log. */
export async function readMark(database: ReadDatabase): Promise<ReadModelsMark> {
  const row = await database
    .selectFrom('followers.checkpoint')
    .select(['position', 'event_id', 'installation', 'epoch'])
    .where('name', '=', 'read')
    .executeTakeFirstOrThrow();
  const { position, event_id: eventId, installation, epoch } = row;
  // The projector wrote both from an event of the log.
  return { position: position as Position, eventId: eventId as EventId | null, installation, epoch };
}

/**
 * Why the read models do not follow the log, as the projector that stopped has recorded it; undefined while they do.
 * @param name of the follower, if it is another than that of the read models
 */
export async function readFault(database: ReadDatabase, name = 'read'): Promise<FollowingFault | undefined> {
  const row = await database
    .selectFrom('followers.checkpoint')
    .select(['fault', 'fault_position'])
    .where('name', '=', name)
    .executeTakeFirst();
  if (row === undefined || row.fault === null) return undefined;
  const { fault: reason, fault_position: position } = row;
  // The projector wrote it from an event of the log.
  return position === null ? { reason } : { reason, position: position as Position };
}

/** The greatest ids in the read models, 0 if there is none. */
export async function greatestIds(database: ReadDatabase): Promise<GreatestIds> {
  const { rows } = await sql<{ uid: number; application_id: number; reply_id: number; mid: number }>`
    select (select coalesce(max(uid), 0) from read.users) as uid,
           (select coalesce(max(application_id), 0) from read.applications) as application_id,
           (select coalesce(max(rid), 0) from read.replies) as reply_id,
           (select coalesce(max(mid), 0) from read.messages where mid < ${firstReplacedMid}) as mid`.execute(
    database,
  );
  const [row] = rows;
  return {
    uid: row?.uid ?? 0,
    applicationId: row?.application_id ?? 0,
    replyId: row?.reply_id ?? 0,
    mid: row?.mid ?? 0,
  };
}
