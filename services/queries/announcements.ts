import { sql } from 'kysely';
import type { ListedAnnouncement } from '../../contracts/http/announcement.ts';
import type { Uid } from '../../contracts/ids.ts';
import type { ReadDatabase } from './tables.ts';

/** More unread announcements than this are not counted. */
const maxCounted = 1_000;

/** A page of announcements, the newest first, without revoked ones: up to `limit` before one, or the newest. */
export async function findAnnouncements(
  database: ReadDatabase,
  { before, limit }: { readonly before: number | undefined; readonly limit: number },
): Promise<ListedAnnouncement[]> {
  return database
    .selectFrom('read.announcements')
    .select(['id', 'content', 'timestamp'])
    .where('id', '<', sql<never>`${before ?? Number.MAX_SAFE_INTEGER}::bigint`)
    .where('revoked', '=', false)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

/** Up to which announcement a person has seen them; 0: none. */
export async function findSeen(database: ReadDatabase, uid: Uid): Promise<number> {
  const row = await database
    .selectFrom('read.announcements_seen')
    .select('seen')
    .where('uid', '=', uid)
    .executeTakeFirst();
  return row?.seen ?? 0;
}

/** How many announcements a person has not seen that were made since they registered and not revoked. */
export async function countUnseen(database: ReadDatabase, uid: Uid, seen: number): Promise<number> {
  const { rows } = await sql<{ unread: number }>`
    select count(*)::int as unread from (
      select from read.announcements a
       where a.id > ${seen} and not a.revoked
         and a.timestamp >= (select created from read.users where uid = ${uid})
       order by a.id desc limit ${maxCounted}
    ) unseen`.execute(database);
  return rows[0]?.unread ?? 0;
}
