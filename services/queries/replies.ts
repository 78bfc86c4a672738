import type { Reply, ReplyLists } from '../../contracts/http/reply.ts';
import type { Uid } from '../../contracts/ids.ts';
import type { ReadDatabase } from './tables.ts';

/** A member's replies by type, within a type by falling weight, then by id. */
export async function findReplies(database: ReadDatabase, uid: Uid): Promise<ReplyLists> {
  const rows = await database
    .selectFrom('read.replies')
    .select(['rid', 'type', 'title', 'content', 'weights', 'is_default'])
    .where('uid', '=', uid)
    .orderBy('type')
    .orderBy('weights', 'desc')
    .orderBy('rid')
    .execute();
  const lists: Record<string, Reply[]> = {};
  for (const { rid, type, title, content, weights, is_default } of rows) {
    lists[type] ??= [];
    lists[type].push({
      ...{ id: rid, type, title, keyword: '', content, is_show: 1, weights },
      is_default: is_default ? 1 : 0,
    });
  }
  return lists;
}
