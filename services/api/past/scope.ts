import { Refusal } from '../../../contracts/codes.ts';
import { groupList, groupMemberList, userList } from '../../../contracts/http/administration.ts';
import { readParameters } from '../../../contracts/http/contract.ts';
import { popGet } from '../../../contracts/http/pop.ts';
import { Uid } from '../../../contracts/ids.ts';
import type { Directory, Scope } from '../../audit/as-of/scope.ts';
import { readForm } from '../form.ts';
import type { Asked } from './answer.ts';

type Given = Readonly<Record<string, unknown>>;

/**
 * What the read models must show for a query to be answered.
 * @param named whom the query names otherwise than by a uid; undefined if that is not known
 */
export function scopeOf(
  { path, parameters }: Pick<Asked, 'path' | 'parameters'>,
  named: readonly Uid[] | undefined,
): Scope {
  const given = readForm(parameters.toString());
  const namesOne = path === userList.path && given.nid !== undefined && named !== undefined;
  const directory = namesOne ? undefined : directoryOf(path, given);
  return (
    directory ?? {
      of: 'people',
      people: uidsIn(given.login_uid),
      profiles: [...uidsIn(given.uid), ...(named ?? [])],
      messages: path === popGet.path ? 'of chats' : 'all',
    }
  );
}

/** What the lists for administration show; undefined for all other queries. */
function directoryOf(path: string, given: Given): Directory | undefined {
  switch (path) {
    case userList.path:
      return unlessRefused(() => {
        readParameters(userList.parameters, given);
        return { of: 'everybody' };
      });
    case groupMemberList.path:
      return unlessRefused(() => {
        const { gid } = readParameters(groupMemberList.parameters, given);
        return { of: 'groups', gids: [gid], owners: [] };
      });
    case groupList.path:
      return unlessRefused(() => {
        const { gid, uid } = readParameters(groupList.parameters, given);
        if (gid === undefined && uid === undefined) return { of: 'every group' };
        return { of: 'groups', gids: gid === undefined ? [] : [gid], owners: uid === undefined ? [] : [uid] };
      });
    default:
      return undefined;
  }
}

/** A query with wrong parameters is refused whatever the read models show. */
function unlessRefused(read: () => Directory): Directory {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) return { of: 'groups', gids: [], owners: [] };
    throw error;
  }
}

/** The uids in a parameter: one, a list, or a text with commas. Others that it may hold are refused. */
function uidsIn(value: unknown): Uid[] {
  return [value]
    .flat()
    .flatMap((text) => (typeof text === 'string' ? text.split(',') : []))
    .flatMap((text) => (/^\d{1,16}$/.test(text) ? (Uid.safeParse(Number(text)).data ?? []) : []));
}
