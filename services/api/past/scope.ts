import { z } from 'zod';
import { groupList, groupMemberList, userList } from '../../../contracts/http/administration.ts';
import { popGet } from '../../../contracts/http/pop.ts';
import { Gid, Uid } from '../../../contracts/ids.ts';
import type { Directory, Scope } from '../../audit/as-of/scope.ts';
import type { ReadQuery } from './read-query.ts';

/** Nothing: a query with wrong parameters is refused whatever the read models show. */
const nothing: Directory = { of: 'groups', gids: [], owners: [] };

/** Which groups a list for administration is about. */
const Groups = z.object({ gid: Gid.optional(), uid: Uid.optional() });

const OneOrSeveral = z.union([Uid.transform((uid) => [uid]), z.array(Uid)]);

/**
 * What the read models must show for a query to be answered.
 * @param query undefined if the API refuses its parameters
 * @param named whom the query names otherwise than by a uid; undefined if that is not known
 */
export function scopeOf(query: ReadQuery | undefined, named: readonly Uid[] | undefined): Scope {
  if (query === undefined) return nothing;
  const { path, me, parameters } = query;
  const namesOne = path === userList.path && parameters.nid !== undefined && named !== undefined;
  const directory = namesOne ? undefined : directoryOf(query);
  return (
    directory ?? {
      of: 'people',
      people: me === undefined ? [] : [me],
      profiles: [...(OneOrSeveral.safeParse(parameters.uid).data ?? []), ...(named ?? [])],
      messages: path === popGet.path ? 'of chats' : 'all',
    }
  );
}

/** What the lists for administration show; undefined for all other queries. */
function directoryOf({ path, parameters }: ReadQuery): Directory | undefined {
  switch (path) {
    case userList.path:
      return { of: 'everybody' };
    case groupMemberList.path:
    case groupList.path: {
      const { gid, uid } = Groups.parse(parameters);
      if (gid === undefined && uid === undefined) return { of: 'every group' };
      return { of: 'groups', gids: gid === undefined ? [] : [gid], owners: uid === undefined ? [] : [uid] };
    }
    default:
      return undefined;
  }
}
