import { sql } from 'kysely';
import type { Uid } from '../../contracts/ids.ts';
import type { ReadDatabase } from './tables.ts';

/** The first of these people who is in `maxGroups` groups or more. */
export async function findFullOne(
  database: ReadDatabase,
  uids: readonly Uid[],
  maxGroups: number,
): Promise<Uid | undefined> {
  if (uids.length === 0) return undefined;
  // All memberships are counted in an index. The states of groups are looked up for those who have enough of them.
  const { rows } = await sql<{ uid: Uid }>`
    select m.uid
      from read.group_members m
     where m.uid = any(${uids}::bigint[])
     group by m.uid
    having count(*) >= ${maxGroups}
       and (select count(*) from read.group_members o join read.groups g on g.gid = o.gid
             where o.uid = m.uid and g.state = 'normal') >= ${maxGroups}
     order by m.uid limit 1`.execute(database);
  return rows[0]?.uid;
}

/** Those of these people who are friends of `uid`. */
export async function findFriendsAmong(
  database: ReadDatabase,
  uid: Uid,
  uids: readonly Uid[],
): Promise<ReadonlySet<Uid>> {
  if (uids.length === 0) return new Set();
  const rows = await database
    .selectFrom('read.friendships')
    .select('friend')
    .where('uid', '=', uid)
    .where(sql<boolean>`friend = any(${uids}::bigint[])`)
    .execute();
  return new Set(rows.map(({ friend }) => friend));
}
